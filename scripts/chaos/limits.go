package chaos

import "time"

// Limits.
const (
	// MaxSource is the longest script, in bytes.
	MaxSource = 64 << 10
	// MaxProblems is how many problems of a script are listed.
	MaxProblems = 20
	// MaxNodes is the most data nodes of a cluster.
	MaxNodes = 9
	// MaxSteps is the most steps of the interpreter in one run.
	MaxSteps = 50_000_000
	// MaxFault is the longest that a fault may last.
	MaxFault = time.Hour
	// MaxDelay is the longest latency that a fault may add to one direction.
	MaxDelay = 10 * time.Second
	// MaxWait is the longest that one wait, eventually or converged may take.
	MaxWait = 10 * time.Minute
	// MaxRate is the most operations a second of one load.
	MaxRate = 5_000
	// MaxClients is the most clients of one load at each node.
	MaxClients = 64
	// MaxBulk is the most documents of one bulk.
	MaxBulk = 100_000
	// MaxBulkBody is the most bytes with which each document of a bulk is filled up.
	MaxBulkBody = 1 << 20
	// MaxShift is the largest offset of a clock.
	MaxShift = 24 * time.Hour
	// MaxDrift is the largest drift of a clock, as a share.
	MaxDrift = 0.5

	// DefaultWithin is how long eventually and converged wait, unless they say.
	DefaultWithin = 30 * time.Second

	// lookEvery is the time between two looks at a condition.
	lookEvery = 20 * time.Millisecond
	// observeEvery is the time between two looks at the state of a node.
	observeEvery = 50 * time.Millisecond
	// observeTimeout bounds one look at a node.
	observeTimeout = time.Second
	// opTimeout bounds one operation of a client. A process that stands still
	// answers nothing until it goes on.
	opTimeout = 5 * time.Second
	// enoughAcks is how many acknowledged writes a load needs, unless it says.
	enoughAcks = 20
	// finishWithin bounds what comes after the script: heal, start, converge,
	// account.
	finishWithin = 2 * time.Minute
	// listPage is how many documents one request of the accounting asks for.
	listPage = 1000
)
