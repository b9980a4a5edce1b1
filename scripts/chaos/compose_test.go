package chaos_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/scripts/chaos"
)

// Issue 5, point 6: "draws random compositions of two or three faults over a
// mixed load": each is a script that compiles, and the seed is all that it
// depends on.
func TestCompose(t *testing.T) {
	t.Parallel()
	different := map[string]bool{}
	for seed := range uint64(500) {
		c := chaos.Compose(seed)
		text := c.Script()
		if _, err := chaos.Compile("drawn.star", text); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if n := len(c.Faults); n < 2 || n > 3 || len(c.Loads) < 3 {
			t.Errorf("seed %d: %d faults, %d loads", seed, n, len(c.Loads))
		}
		if text != chaos.Compose(seed).Script() {
			t.Errorf("seed %d gives two scripts", seed)
		}
		different[text[strings.Index(text, "cluster"):]] = true
	}
	if len(different) < 490 {
		t.Errorf("only %d different scripts of 500 seeds", len(different))
	}
}

// "shrinks a failure to a script".
func TestShrink(t *testing.T) {
	t.Parallel()
	c := chaos.Compose(1)
	c.Faults = [][]string{{"one"}, {"guilty"}, {"three"}}
	guilty := func(c chaos.Composition) bool {
		return slices.ContainsFunc(c.Faults, func(f []string) bool { return f[0] == "guilty" })
	}
	small := c.Shrink(100, guilty)
	if len(small.Faults) != 1 || !guilty(small) || len(small.Loads) != 1 || len(c.Faults) != 3 {
		t.Errorf("%+v of %+v", small, c)
	}
	asked := 0
	if few := c.Shrink(2, func(chaos.Composition) bool { asked++; return true }); asked != 2 || len(few.Faults) != 1 {
		t.Errorf("asked %d times: %+v", asked, few)
	}
}
