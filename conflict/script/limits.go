package script

import "time"

// Limits that are the same on every node, so that a script that passes one
// fails everywhere alike.
const (
	// MaxSource is the longest script, in bytes.
	MaxSource = 64 << 10
	// MaxSteps is the most steps of the interpreter that one call may take:
	// some 15 ms on the machines of 2026, far from KillAfter. The top level of
	// a script has as many again, once, when it is loaded.
	MaxSteps = 200_000
	// MaxSiblings is the most siblings of one conflict.
	MaxSiblings = 1024
	// MaxSums is the most paths of one conflict that have a sum.
	MaxSums = 1024
	// MaxInput is the most that the documents of one conflict, its base and its
	// names may be together, in bytes.
	MaxInput = 16 << 20
	// MaxValues is the most JSON values in all documents of one conflict. A
	// value of three bytes can cost half a kilobyte when it is decoded.
	MaxValues = 100_000
	// MaxDepth is the deepest document, in levels, its own braces included.
	MaxDepth = 64
	// DefaultBody is the largest result where a Conflict does not say, in bytes.
	DefaultBody = 1 << 20
	// MaxBody is the largest result that a Conflict may allow, in bytes.
	MaxBody = 16 << 20
	// MaxOutput is the most that one call may print, in bytes.
	MaxOutput = 64 << 10
	// MaxNotes is the most notes of one call.
	MaxNotes = 64
	// MaxNote is the longest note, in bytes.
	MaxNote = 4 << 10
	// MaxEvents is the most events of one call.
	MaxEvents = 256
	// MaxEventName is the longest name of an event, in bytes.
	MaxEventName = 64
	// MaxEventData is the most data of one event, in bytes of JSON.
	MaxEventData = 16 << 10
	// MaxTests is the most test_ functions of one script.
	MaxTests = 256
	// MaxSamples is the most conflicts that are taken from one test for the gate.
	MaxSamples = 32
	// MaxMessage is the longest message of a failure, in bytes; more is cut off.
	MaxMessage = 2 << 10
	// MaxFrames is the most frames of a backtrace; the innermost are kept.
	MaxFrames = 32
	// MaxProblems is the most problems that Compile reports.
	MaxProblems = 20
	// MaxRecorded is the most recorded conflicts that the gate looks at.
	MaxRecorded = 256
	// MaxCases is the most examples of one sort that the gate reports.
	MaxCases = 5
	// MaxGateSteps is the most steps that the gate takes all in all: a few
	// seconds. In steps, so that it sees the same on every node.
	MaxGateSteps = 50_000_000
	// MaxGateTime is how long the gate may take: some steps take long, such as
	// those on large texts, and whoever stores a script waits. What was looked at
	// by then counts.
	MaxGateTime = 5 * time.Second
	// MaxChanges is the most differences between two documents that are listed.
	MaxChanges = 1000
	// maxDigits is the most digits of an integer in a document: a double has
	// no more before its point.
	maxDigits = 309
)

// Limits of this node's worker processes. To pass one is a failure of this
// node, never a result.
const (
	// KillAfter is how much processor time a worker may take for a call, from the
	// request's first byte to the answer's last. Then the process is killed. The
	// wall clock would blame a script for what a busy machine does; it counts only
	// where a system does not tell the processor time of another process.
	KillAfter = 500 * time.Millisecond
	// KillAfterMore is added for each MiB of documents after the first.
	KillAfterMore = 30 * time.Millisecond
	// MaxCall is how long a call may take by the wall clock, however little of a
	// processor it got. Scripts never wait: such a worker stands still.
	MaxCall = 5 * time.Second
	// StartTimeout is how long a worker may take to start and greet.
	StartTimeout = 5 * time.Second
	// MinPause is the pause before a dead worker is started again. It doubles
	// with each death in a row up to MaxPause.
	MinPause = 10 * time.Millisecond
	// MaxPause is the longest pause before a dead worker is started again.
	MaxPause = time.Second
	// MaxWait is how long a call waits for a worker before it is refused.
	MaxWait = 5 * time.Second
	// DefaultWorkers is the number of worker processes.
	DefaultWorkers = 1
	// MaxWorkers is the most worker processes of one pool.
	MaxWorkers = 64
	// DefaultQueue is how many calls may wait for a worker.
	DefaultQueue = 1024
	// MaxQueue is the longest queue that a pool may have, in calls.
	MaxQueue = 1 << 16

	// workerMemory is the address space that a worker may take beyond what it
	// has after its start, in bytes. (Measured: a Go process with the
	// interpreter starts at 5.3 GiB of addresses, 4 GiB of them for small
	// integers and a GiB for the heap's arenas, none of it memory; so no
	// absolute limit makes sense. MaxValues empty objects take 60 MiB.)
	workerMemory = 512 << 20
	// workerHeap is where a worker's garbage collection becomes eager, in
	// bytes: below workerMemory, so that garbage alone does not end a process.
	workerHeap = 320 << 20
	// workerGarbage is how much a worker's heap grows between two collections,
	// in per cent: it has workerHeap to itself, and little time.
	workerGarbage = 400
	// workerStack is the largest stack of a worker, in bytes: deeply nested
	// values are printed and frozen by recursion.
	workerStack = 64 << 20
	// workerNice is how much a worker yields to others, in steps of nice(1).
	workerNice = 3
	// workerFiles is the most open files of a worker: three pipes and what the
	// Go runtime opens for itself.
	workerFiles = 16
	// workerScripts is how many loaded scripts are kept warm.
	workerScripts = 64
	// fuseAfter is after how long a worker ends itself, should its parent not
	// be there any more to kill it. A call may take less.
	fuseAfter = 2 * MaxCall
	// minLook is the shortest pause between two looks at a worker's processor time.
	minLook = 10 * time.Millisecond
	// wordsTimeout is how long the last words of a dead worker are waited for.
	wordsTimeout = time.Second
	// pipeBuffer is how much is read from a pipe at a time, in bytes.
	pipeBuffer = 64 << 10
	// maxName is the longest name of a collection, document, function or actor
	// in a message, in bytes.
	maxName = 4 << 10
	// maxStderr is how much of a dying worker's last words is kept, in bytes.
	maxStderr = 4 << 10

	// maxRequest is the longest request to a worker, in bytes: the documents,
	// the source, names and sums.
	maxRequest = MaxInput + MaxSource + 1<<20
	// maxReply is the longest reply of a worker, in bytes: the result or the
	// samples of a test, output, notes and events.
	maxReply = MaxBody + MaxEvents*(MaxEventData+MaxEventName) + MaxNotes*MaxNote + MaxOutput + 1<<20
)
