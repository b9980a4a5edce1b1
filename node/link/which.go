package link

import (
	"fmt"
	"net/url"

	"github.com/syncline/syncline/node"
)

// Which selects faults: those that disturb what goes From one member To another,
// with Both also those of the other direction. The zero Which selects all.
type Which struct {
	From, To string
	Both     bool
}

// Names of the parameters that ParseWhich reads.
const (
	whichFrom = "from"
	whichTo   = "to"
	whichBoth = "both"
)

// ParseWhich reads the parameters from, to and both of the query of a request to
// heal. Without any of them all faults are meant. An error is of kind
// node.BadRequest.
func ParseWhich(query string) (Which, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return Which{}, badWhich("the query cannot be read: %w", err)
	}
	for _, name := range []string{whichFrom, whichTo, whichBoth} {
		if len(q[name]) > 1 {
			return Which{}, badWhich("parameter %s stands %d times", name, len(q[name]))
		}
	}
	w := Which{From: q.Get(whichFrom), To: q.Get(whichTo)}
	if (w.From == "") != (w.To == "") || w.From == "" && (q.Has(whichFrom) || q.Has(whichTo) || q.Has(whichBoth)) {
		return Which{}, badWhich("parameters from and to name the two ends of a link: give both, or none to heal all")
	}
	switch both := q.Get(whichBoth); {
	case both == "true":
		w.Both = true
	case both != "false" && q.Has(whichBoth):
		return Which{}, badWhich("parameter both is %.40q: want true or false", both)
	}
	return w, nil
}

func badWhich(format string, args ...any) error {
	return &node.Error{Op: "heal faults", Kind: node.BadRequest, Err: fmt.Errorf(format, args...)}
}

// Has says whether a fault is among those that are selected.
func (w Which) Has(f *Fault) bool {
	return w == Which{} || f.disturbs(w.From, w.To) || w.Both && f.disturbs(w.To, w.From)
}

// disturbs says whether a fault does something to what goes from one member to another.
func (f *Fault) disturbs(from, to string) bool {
	return f.From == from && f.To == to || f.Both && f.From == to && f.To == from
}
