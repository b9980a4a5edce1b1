package wire

import (
	"errors"
	"fmt"

	"github.com/syncline/syncline/vclock"
)

// Limits of comparing.
const (
	// MaxRanges is the most ranges of one question.
	MaxRanges = 64
	// MaxDigestBytes is the longest question or answer, in bytes.
	MaxDigestBytes = 4 << 20
	// MaxDigestCopies is the most documents that an answer names.
	MaxDigestCopies = 2000
	// MaxCopyDots is the most live versions that are named of one document.
	MaxCopyDots = 256
	// DigestSize is the length of a digest, in bytes.
	DigestSize = 16
	// maxDocID is the longest id of a document, in bytes.
	maxDocID = 512
	// maxTag is the longest entity tag, in bytes.
	maxTag = 128
)

// DigestRequest asks a data node in which ranges of ids it differs. Without a
// collection it asks for the digests of all collections.
type DigestRequest struct {
	Cluster    string        `cbor:"cluster"`
	Node       string        `cbor:"node"`       // who asks
	Collection string        `cbor:"collection"` // empty: the digests of all
	After      string        `cbor:"after"`      // the first range begins behind it
	Ranges     []DigestRange `cbor:"ranges"`     // one behind the other
}

// DigestRange is a range of ids, from the end of the one before.
type DigestRange struct {
	Until string           `cbor:"until"` // included; empty, in the last: the collection's end
	Sum   [DigestSize]byte `cbor:"sum"`   // of the documents that the asking node has in it
}

// DigestAnswer names the ranges that differ, with all that the answering node
// has in them.
type DigestAnswer struct {
	Node        string             `cbor:"node"` // who answers
	Collections []CollectionDigest `cbor:"collections"`
	Differs     []int              `cbor:"differs"` // indexes of ranges, rising
	Copies      []DocCopy          `cbor:"copies"`  // of these ranges, in the order of ids
	// Until is how far the answer reaches; empty: to the end of the last range.
	Until string `cbor:"until"`
}

// CollectionDigest is the digest of one collection.
type CollectionDigest struct {
	Name string           `cbor:"name"`
	Sum  [DigestSize]byte `cbor:"sum"`
}

// DocCopy is one document as the answering node has it.
type DocCopy struct {
	ID      string           `cbor:"id"`
	Dots    []string         `cbor:"dots"`
	Tag     string           `cbor:"tag"`
	Deleted bool             `cbor:"deleted"`
	Sum     [DigestSize]byte `cbor:"sum"`
}

// Check says what of a question that came from outside is out of bounds.
func (r *DigestRequest) Check() error {
	errs := []error{checkCluster(r.Cluster), vclock.CheckNodeName(r.Node)}
	if r.Collection != "" {
		if len(r.Ranges) == 0 || len(r.Ranges) > MaxRanges {
			errs = append(errs, fmt.Errorf("%d ranges: want 1 to %d", len(r.Ranges), MaxRanges))
		}
	}
	last := r.After
	for i, g := range r.Ranges {
		open := g.Until == "" && i == len(r.Ranges)-1
		if !open && g.Until <= last || len(g.Until) > maxDocID {
			errs = append(errs, fmt.Errorf("range %d does not end behind the one before", i))
		}
		last = g.Until
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("digest request: %w", err)
	}
	return nil
}

// Check says what of an answer to r is out of bounds.
func (a *DigestAnswer) Check(r *DigestRequest) error {
	errs := []error{vclock.CheckNodeName(a.Node)}
	last := -1
	for _, i := range a.Differs {
		if i <= last || i >= len(r.Ranges) {
			errs = append(errs, fmt.Errorf("range %d of %d", i, len(r.Ranges)))
		}
		last = i
	}
	if a.Until != "" && a.Until <= r.After {
		errs = append(errs, errors.New("it reaches nowhere"))
	}
	errs = append(errs, checkCopies(a.Copies, r.After))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("digest answer: %w", err)
	}
	return nil
}

func checkCopies(copies []DocCopy, after string) error {
	if len(copies) > MaxDigestCopies {
		return fmt.Errorf("%d documents: at most %d", len(copies), MaxDigestCopies)
	}
	for _, c := range copies {
		switch {
		case c.ID <= after || len(c.ID) > maxDocID:
			return errors.New("the documents are out of order")
		case len(c.Dots) > MaxCopyDots || len(c.Tag) > maxTag:
			return fmt.Errorf("document %.80q: %d versions, a tag of %d bytes", c.ID, len(c.Dots), len(c.Tag))
		}
		for _, text := range c.Dots {
			if _, err := vclock.ParseDot(text); err != nil {
				return fmt.Errorf("document %.80q: %w", c.ID, err)
			}
		}
		after = c.ID
	}
	return nil
}
