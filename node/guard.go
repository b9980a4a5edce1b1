package node

// Guard answers "may I write?". What happened and who may act are separate
// questions: the engine asks, quorum.Keeper answers.
type Guard interface {
	// Begin says whether a commit of local writes may begin now: nil, or an
	// *Error of kind ReadOnly. It leaves enough of the lease for a commit.
	Begin() error
	// Held says, after the commit and before the answer, whether the lease
	// lasted.
	Held() bool
}

// Alone is the guard of a node that needs nobody's vote.
type Alone struct{}

// Begin implements Guard.
func (Alone) Begin() error { return nil }

// Held implements Guard.
func (Alone) Held() bool { return true }
