package script

import "github.com/syncline/syncline/conflict"

// SiblingsOf are the siblings of a document as a resolver is asked about them.
// The caller has left out what is not to be seen.
func SiblingsOf(versions conflict.Siblings) []Sibling {
	out := make([]Sibling, len(versions))
	for i, v := range versions {
		out[i] = Sibling{Dot: v.Dot, Time: v.Time, Deleted: v.Deleted, Doc: v.Body}
	}
	return out
}
