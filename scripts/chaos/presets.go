package chaos

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Pair is a link: the members at its two ends.
type Pair struct{ A, B string }

// between are the links between two sides.
func between(side, other []string) []Pair {
	var out []Pair
	for _, x := range side {
		for _, y := range other {
			out = append(out, Pair{x, y})
		}
	}
	return out
}

// Isolate is all links of one member.
func (s *Spec) Isolate(name string) ([]Pair, error) {
	others := slices.DeleteFunc(s.Members(), func(m string) bool { return m == name })
	if len(others) == 0 {
		return nil, fmt.Errorf("isolate: %s is alone already", name)
	}
	return between([]string{name}, others), nil
}

// Halves is all links between two sides. Who is in neither sees both.
func (s *Spec) Halves(side, other []string) ([]Pair, error) {
	for _, name := range side {
		if slices.Contains(other, name) {
			return nil, fmt.Errorf("halves: %s is on both sides", name)
		}
	}
	return between(side, other), nil
}

// Middle splits the data nodes into two halves; of an odd number the first has
// one more.
func (s *Spec) Middle() (side, other []string, err error) {
	if len(s.Data) < 2 {
		return nil, nil, errors.New("halves: one data node has no halves")
	}
	half := (len(s.Data) + 1) / 2
	return s.Data[:half], s.Data[half:], nil
}

// Bridge is the links between two halves of the other data nodes, which are then
// joined through one node alone.
func (s *Spec) Bridge(name string) ([]Pair, error) {
	others := slices.DeleteFunc(slices.Clone(s.Data), func(m string) bool { return m == name })
	if len(others) < 2 {
		return nil, errors.New("bridge: a bridge needs two banks, so three data nodes")
	}
	return between(others[:len(others)/2], others[len(others)/2:]), nil
}

// minRing is how many data nodes a ring needs: with fewer all are neighbours.
const minRing = 4

// Ring is the links that leave each data node its two neighbours, in the order of
// the roster, when they are cut.
func (s *Spec) Ring() ([]Pair, error) {
	n := len(s.Data)
	if n < minRing {
		return nil, fmt.Errorf("ring: a ring needs at least %d data nodes: with fewer all are neighbours", minRing)
	}
	var out []Pair
	for i, x := range s.Data {
		for j := i + 1; j < n; j++ {
			if j-i > 1 && j-i < n-1 {
				out = append(out, Pair{x, s.Data[j]})
			}
		}
	}
	return out, nil
}

// cuts are the cuts of links.
func cuts(links []Pair, lasts time.Duration) []Fault {
	var out []Fault
	for _, l := range links {
		out = append(out, Fault{Kind: Cut, From: l.A, To: l.B, Lasts: lasts})
	}
	return out
}

// What a preset takes beside its duration.
const (
	TakesNode  = "node"
	TakesFrom  = "from"
	TakesTo    = "to"
	TakesDelay = "delay"
)

// Preset is a shape of faults with a name.
type Preset struct {
	Name  string
	About string
	Takes []string // names of what must be given
	links func(*Spec, PresetArgs) ([]Fault, error)
}

// PresetArgs are what presets take.
type PresetArgs struct {
	Node  string
	From  string
	To    string
	Delay time.Duration // slow: latency of each direction; flap: the period, 0 for that of the link layer
	Lasts time.Duration
}

// Presets are the shapes that the API and the page offer.
func Presets() []Preset {
	return []Preset{
		{"isolate", "cut one member off from all others", []string{TakesNode}, func(s *Spec, a PresetArgs) ([]Fault, error) {
			links, err := s.Isolate(a.Node)
			return cuts(links, a.Lasts), err
		}},
		{"halves", "cut the data nodes into two halves; the witness sees both", nil, func(s *Spec, a PresetArgs) ([]Fault, error) {
			side, other, err := s.Middle()
			if err != nil {
				return nil, err
			}
			links, err := s.Halves(side, other)
			return cuts(links, a.Lasts), err
		}},
		{"bridge", "two halves of the other data nodes see each other through this node alone", []string{TakesNode}, func(s *Spec, a PresetArgs) ([]Fault, error) {
			links, err := s.Bridge(a.Node)
			return cuts(links, a.Lasts), err
		}},
		{"ring", "each data node sees its two neighbours alone", nil, func(s *Spec, a PresetArgs) ([]Fault, error) {
			links, err := s.Ring()
			return cuts(links, a.Lasts), err
		}},
		{"flap", "cut and heal one link in turn", []string{TakesFrom, TakesTo}, func(_ *Spec, a PresetArgs) ([]Fault, error) {
			return []Fault{{Kind: Flap, From: a.From, To: a.To, Delay: a.Delay, Lasts: a.Lasts}}, nil
		}},
		{"slow", "delay what passes one link, in each direction", []string{TakesFrom, TakesTo, TakesDelay}, func(_ *Spec, a PresetArgs) ([]Fault, error) {
			return []Fault{{Kind: Slow, From: a.From, To: a.To, Delay: a.Delay, Lasts: a.Lasts}}, nil
		}},
		{"witness_alone", "cut the witness off from all data nodes", nil, func(s *Spec, a PresetArgs) ([]Fault, error) {
			if s.Witness == "" {
				return nil, errors.New("witness_alone: this cluster has no witness")
			}
			links, err := s.Isolate(s.Witness)
			return cuts(links, a.Lasts), err
		}},
	}
}

// Faults says which faults a preset is in a cluster. The error names what is
// missing or wrong; how long a fault may last and by how much it may delay is for
// whoever puts it on.
func (p Preset) Faults(s *Spec, a PresetArgs) ([]Fault, error) {
	members := s.Members()
	for _, one := range []struct{ name, value string }{{TakesNode, a.Node}, {TakesFrom, a.From}, {TakesTo, a.To}} {
		switch {
		case !slices.Contains(p.Takes, one.name):
			if one.value != "" {
				return nil, fmt.Errorf("%s: takes no %s", p.Name, one.name)
			}
		case !slices.Contains(members, one.value):
			return nil, fmt.Errorf("%s: %s: want a member of this cluster, which has %s, not %q", p.Name, one.name, s, one.value)
		}
	}
	switch {
	case p.Name == "bridge" && a.Node == s.Witness:
		return nil, fmt.Errorf("bridge: node: %s is the witness: want a data node", a.Node)
	case a.From != "" && a.From == a.To:
		return nil, fmt.Errorf("%s: %w", p.Name, errSameEnds)
	case slices.Contains(p.Takes, TakesDelay) && a.Delay <= 0:
		return nil, fmt.Errorf("%s: delay is missing: say by how much, such as \"50ms\"", p.Name)
	case a.Lasts <= 0:
		return nil, fmt.Errorf("%s: duration is missing: every fault has an end, such as \"30s\"", p.Name)
	}
	return p.links(s, a)
}
