package planted

// Bug names one planted bug.
type Bug string

// The bugs, with the rule of the protocol that each one breaks.
const (
	// VVLoose puts every covered dot into a clock's vector, so that a:42 also
	// claims a:10, which nobody saw (D1).
	VVLoose Bug = "VVLoose"
	// EarlyFrontier moves the frontier with each row, before the closing frame (D4).
	EarlyFrontier Bug = "EarlyFrontier"
	// CloseLoose claims at a closing frame whatever is held, loose rows too (D4).
	CloseLoose Bug = "CloseLoose"
	// SessionCtx stamps a write with the client's session as its context (D2).
	SessionCtx Bug = "SessionCtx"
	// CoalesceContent takes equal bodies for one write (D3, D5).
	CoalesceContent Bug = "CoalesceContent"
	// NaiveCursor resumes a catch-up behind the last row sent, not behind a
	// vector capped at the snapshot's frontier (D4).
	NaiveCursor Bug = "NaiveCursor"
	// LWWBeforeCausality lets the later time decide in the join, before anybody
	// looks at the clocks (D3).
	LWWBeforeCausality Bug = "LWWBeforeCausality"
	// ReuseActor goes on with the old actor after a lost tail (D14).
	ReuseActor Bug = "ReuseActor"
	// LeaseFromReply counts a lease from the arrival of the vote (X2).
	LeaseFromReply Bug = "LeaseFromReply"
	// NoBootWait lets a witness grant at once after its start (W4).
	NoBootWait Bug = "NoBootWait"
	// ClearChosen forgets who is chosen when it refuses (W6).
	ClearChosen Bug = "ClearChosen"
	// FirstCome gives the vote at a split to whoever asks first (W5).
	FirstCome Bug = "FirstCome"
	// SettleUnstable settles a conflict before every data node has its siblings (D8).
	SettleUnstable Bug = "SettleUnstable"
	// SettleTime gives a settlement a time of its own (D8).
	SettleTime Bug = "SettleTime"
	// LoseLoser ends a conflict without a record (D9).
	LoseLoser Bug = "LoseLoser"
	// AddToShown lays down a number as what was added to the value shown (D10).
	AddToShown Bug = "AddToShown"
	// LargerTotal joins the totals of an actor by size, not by sequence (D10).
	LargerTotal Bug = "LargerTotal"
	// MarksWhole takes a change of one member for a change of all (D10a).
	MarksWhole Bug = "MarksWhole"
	// TwinsTwice counts each attempt of a write for itself (D10).
	TwinsTwice Bug = "TwinsTwice"
	// BaseDropped lays down no former value of what every data node has (D10c).
	BaseDropped Bug = "BaseDropped"
	// BaseLocal takes the base from one sibling alone (D10c).
	BaseLocal Bug = "BaseLocal"
	// OneOrder lets whichever comes second win, of a delete beside an update,
	// whatever the delete policy says (DESIGN 3, Tombstones).
	OneOrder Bug = "OneOrder"
	// RestoreKeeps restores a version beside what is shown instead of over it (API,
	// restore).
	RestoreKeeps Bug = "RestoreKeeps"
	// ScriptClock lets a resolver see this node's clock: the times of the siblings
	// are those at which it was asked (DESIGN 7).
	ScriptClock Bug = "ScriptClock"
	// PolicyVersion files records that do not say which version of the resolver
	// decided (D8).
	PolicyVersion Bug = "PolicyVersion"
	// NoStamp accepts a ballot that a paused process held back (W2).
	NoStamp Bug = "NoStamp"
)
