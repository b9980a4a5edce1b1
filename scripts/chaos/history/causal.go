package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// numbered is the body of a document whose writer counts its versions: {"n":…}.
type numbered struct {
	N int `json:"n"`
}

func number(value string) (int, bool) {
	var n numbered
	if json.Unmarshal([]byte(value), &n) != nil || n.N <= 0 {
		return 0, false
	}
	return n.N, true
}

// fact is what a client knows of one key: at least version n, and how it came
// to know.
type fact struct {
	n     int
	guard string // the session guarantee that is broken when it reads less
}

// The session guarantees.
const (
	readYourWrites    = "read your writes"
	monotonicReads    = "monotonic reads"
	monotonicWrites   = "monotonic writes"
	writesFollowReads = "writes follow reads"
)

// knowledge is what a client knows: key to fact.
type knowledge map[string]fact

func (k knowledge) learn(key string, f fact) {
	if f.n > k[key].n {
		k[key] = f
	}
}

// write is one version: whose, and what its writer knew.
type write struct {
	client string
	knew   knowledge
}

// checkCausal: a client that carries its session never reads less than it knows.
// It knows what it wrote, what it read, and what the writer of something that it
// read knew when it wrote. Keys are written by one client each, which counts its
// versions. (Terry et al. 1994: all four guarantees.)
func checkCausal(records []Record, out *Result) {
	clients := map[string]knowledge{}
	written := map[string]write{}
	for _, s := range steps(records) {
		r := s.record
		k := clients[r.Client]
		if k == nil {
			k = knowledge{}
			clients[r.Client] = k
		}
		n, numbered := number(r.Value)
		switch {
		case r.Op == OpGet:
			out.Checked++
			checkRead(r, k, written, out)
		case !numbered:
			// It has no version that a reader could know of.
		case s.begins:
			written[versionID(r.Key, n)] = write{r.Client, maps.Clone(k)}
		case r.Outcome == OK:
			k.learn(r.Key, fact{n, readYourWrites})
		}
	}
}

// step is the beginning of a write, or the end of an operation.
type step struct {
	at     int64
	begins bool
	record *Record
}

// steps are those of all clients with sessions, in order of time. A write can be
// read as soon as it has begun.
func steps(records []Record) []step {
	var out []step
	for i := range records {
		r := &records[i]
		switch {
		case !r.Session || r.Outcome == Refused:
		case r.Op == OpPut:
			out = append(out, step{r.InvokeNS, true, r}, step{r.ReturnNS, false, r})
		case r.Op == OpGet && r.Outcome == OK:
			out = append(out, step{r.ReturnNS, false, r})
		}
	}
	slices.SortStableFunc(out, func(x, y step) int {
		if c := cmp.Compare(x.at, y.at); c != 0 || x.begins == y.begins {
			return c
		}
		return map[bool]int{true: -1, false: 1}[x.begins]
	})
	return out
}

func versionID(key string, n int) string { return fmt.Sprintf("%s#%d", key, n) }

// checkRead holds one read against what its client knew, and adds to it.
func checkRead(r *Record, k knowledge, written map[string]write, out *Result) {
	n, _ := number(r.Value) // 0: there was none
	if f := k[r.Key]; n < f.n {
		out.finding("%s: %s read version %d of %s at %s, and knew of %d", f.guard, r.Client, n, r.Key, r.Node, f.n)
	}
	k.learn(r.Key, fact{n, monotonicReads})
	if n == 0 {
		return
	}
	w, ok := written[versionID(r.Key, n)]
	if !ok {
		out.finding("%s read version %d of %s at %s, which nobody wrote before", r.Client, n, r.Key, r.Node)
		return
	}
	for key, f := range w.knew {
		guard := writesFollowReads
		if f.guard == readYourWrites {
			guard = monotonicWrites
		}
		k.learn(key, fact{f.n, guard})
	}
}
