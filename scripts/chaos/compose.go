package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Composition is a script that was drawn: a mixed load, and two or three faults
// over it. Its parts can be left out one by one, so that a failure is shrunk to
// what it takes.
type Composition struct {
	Seed    uint64
	Nodes   int
	Witness bool
	Loads   []string   // statements that start loads
	Faults  [][]string // the statements of each fault
}

// drawer draws the parts of a composition.
type drawer struct {
	*rand.Rand
	data    []string
	members []string
}

// Compose draws a composition from a seed.
func Compose(seed uint64) Composition {
	d := drawer{Rand: rand.New(rand.NewPCG(seed, 1))}
	c := Composition{Seed: seed}
	// Two nodes and a witness are the common case, and where most has gone wrong.
	shape := d.IntN(4)
	c.Nodes, c.Witness = []int{2, 2, 3, 4}[shape], shape != 2
	for i := range c.Nodes {
		d.data = append(d.data, string(rune('a'+i)))
	}
	d.members = slices.Clone(d.data)
	if c.Witness {
		d.members = append(d.members, witnessName)
	}
	c.Loads = d.loads()
	for range 2 + d.IntN(2) {
		c.Faults = append(c.Faults, d.fault())
	}
	return c
}

// loads are a ledger of 70 % writes and 30 % reads, and one or two loads that
// meet: the same keys blindly, lists by If-Match, sessions, or what a merge puts
// together.
func (d *drawer) loads() []string {
	out := []string{fmt.Sprintf(`load(rate = %d, clients = 2, reads = 0.3, deletes = 0.1)`, 60+d.IntN(100))}
	others := []string{
		`load(kind = "shared", rate = 40, keys = 5, deletes = 0.1, at_least = 5)`,
		`load(kind = "append", rate = 30, keys = 3, at_least = 5)`,
		`load(kind = "session", rate = 40, clients = 2, at_least = 5)`,
		`load(kind = "counter", rate = 30, at_least = 5)`,
		`load(kind = "sum", rate = 40, keys = 3, at_least = 5)`,
		`load(kind = "members", rate = 30, keys = 2, at_least = 5)`,
		fmt.Sprintf(`bulk("%s", "parts", %d)`, d.data[0], 100+d.IntN(900)),
		fmt.Sprintf(`feed("%s")`, d.data[d.IntN(len(d.data))]),
	}
	d.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	return append(out, others[:2+d.IntN(2)]...)
}

// link draws two members.
func (d *drawer) link() (x, y string) {
	i := d.IntN(len(d.members))
	j := (i + 1 + d.IntN(len(d.members)-1)) % len(d.members)
	return d.members[i], d.members[j]
}

// fault draws one fault, and how long it is looked at.
func (d *drawer) fault() []string {
	x, y := d.link()
	one := d.members[d.IntN(len(d.members))]
	node := d.data[d.IntN(len(d.data))]
	lasts := fmt.Sprintf("%dms", 500+d.IntN(4500))
	var out []string
	switch d.IntN(9) {
	case 0:
		out = []string{fmt.Sprintf(`cut("%s", "%s", lasts = "%s")`, x, y, lasts)}
	case 1:
		out = []string{fmt.Sprintf(`cut("%s", "%s", lasts = "%s", one_way = True)`, x, y, lasts)}
	case 2:
		out = []string{fmt.Sprintf(`isolate("%s", lasts = "%s")`, one, lasts)}
	case 3:
		half := (len(d.data) + 1) / 2
		out = []string{fmt.Sprintf(`halves([%s], [%s], lasts = "%s")`, quoted(d.data[:half]), quoted(d.data[half:]), lasts)}
	case 4:
		out = []string{fmt.Sprintf(`flap("%s", "%s", period = "%dms", lasts = "%s")`, x, y, 50+d.IntN(2000), lasts)}
	case 5:
		out = []string{fmt.Sprintf(`lose("%s", "%s", share = %.2f, lasts = "%s")`, x, y, 0.05+0.5*d.Float64(), lasts)}
	case 6:
		out = []string{
			fmt.Sprintf(`if state("%s").answers:`, node), // it may be down, or stand still
			fmt.Sprintf(`    pause("%s", lasts = "%s")`, node, lasts),
		}
	case 7:
		// Back before the next fault, which needs somebody to put it on.
		out = []string{fmt.Sprintf(`kill("%s")`, one), fmt.Sprintf(`wait("%s")`, lasts), fmt.Sprintf(`start("%s")`, one)}
	default:
		out = []string{fmt.Sprintf(`clock("%s", offset = "%ds", drift = %.2f, lasts = "%s")`, node, d.IntN(7200)-3600, 0.2*d.Float64()-0.1, lasts)}
	}
	return append(out, fmt.Sprintf(`wait("%dms")`, 100+d.IntN(2900)))
}

func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// Script is the composition as a script.
func (c Composition) Script() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Drawn from the seed %d: faults over a mixed load.\n", c.Seed)
	b.WriteString("# When all is healed, every node writes, all are equal, and every write is accounted for.\n")
	b.WriteString("# No two sides write past the bound. Written by the soak.\n")
	witness := "False"
	if c.Witness {
		witness = "True"
	}
	fmt.Fprintf(&b, "cluster(nodes = %d, witness = %s)\n\n", c.Nodes, witness)
	for _, line := range c.Loads {
		b.WriteString(line + "\n")
	}
	for _, fault := range c.Faults {
		b.WriteString("\n" + strings.Join(fault, "\n") + "\n")
	}
	b.WriteString("\nheal()\n" + `eventually(lambda: writers() == nodes(), what = "every node writes again", within = "20s")` + "\n")
	b.WriteString("wait(\"500ms\")\nconverged(within = \"60s\")\naccounted()\n")
	return b.String()
}

// Shrink leaves out what a failure does not need, one part after the other, for
// as long as it still fails, with at most so many tries.
func (c Composition) Shrink(tries int, fails func(Composition) bool) Composition {
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range c.without() {
			if tries == 0 {
				return c
			}
			if tries--; fails(candidate) {
				c, smaller = candidate, true
				break
			}
		}
	}
	return c
}

// without are the compositions with one part less. The first load stays: a run
// without writes proves nothing.
func (c Composition) without() []Composition {
	var out []Composition
	for i := range c.Faults {
		less := c
		less.Faults = slices.Delete(slices.Clone(c.Faults), i, i+1)
		out = append(out, less)
	}
	for i := 1; i < len(c.Loads); i++ {
		less := c
		less.Loads = slices.Delete(slices.Clone(c.Loads), i, i+1)
		out = append(out, less)
	}
	return out
}
