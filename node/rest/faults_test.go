package rest

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
)

// faults is a Chaos without a network.
type faults struct {
	list []link.Fault
	next int
}

func (f *faults) Add(fault link.Fault) (link.Fault, error) {
	if fault.Duration <= 0 {
		return link.Fault{}, &node.Error{Op: "add fault", Kind: node.Invalid, Key: "duration", Err: errors.New("a fault needs an end")}
	}
	f.next++
	fault.ID = "f" + strconv.Itoa(f.next)
	fault.Expires = time.Date(2026, 11, 21, 14, 2, 41, 0, time.UTC)
	f.list = append(f.list, fault)
	return fault, nil
}

func (f *faults) Remove(id string) error {
	for i := range f.list {
		if f.list[i].ID == id {
			f.list = append(f.list[:i], f.list[i+1:]...)
			return nil
		}
	}
	return &node.Error{Op: "heal fault", Kind: node.NotFound, Key: id, Err: errors.New("no such fault")}
}

func (f *faults) Heal(which link.Which) int {
	n := len(f.list)
	f.list = slices.DeleteFunc(f.list, func(f link.Fault) bool { return which.Has(&f) })
	return n - len(f.list)
}

func (f *faults) List() []link.Fault { return f.list }
