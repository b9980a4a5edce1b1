package node

// Guard answers "may I write?". What happened and who may act are separate
// questions: the engine asks, quorum.Keeper answers.
type Guard interface {
	// Begin says whether a commit of local writes may begin now: the present
	// term, or an *Error of kind ReadOnly. It leaves enough of the lease for a
	// commit.
	Begin() (Term, error)
	// Held says, after the commit and before the answer, whether the lease
	// lasted without a break since the term was given.
	Held(Term) bool
}

// Term numbers the times for which a node was writable without a break. A lease
// that ended during a commit and came back does not cover the commit.
type Term uint64

// Alone is the guard of a node that needs nobody's vote.
type Alone struct{}

// Begin implements Guard.
func (Alone) Begin() (Term, error) { return 0, nil }

// Held implements Guard.
func (Alone) Held(Term) bool { return true }
