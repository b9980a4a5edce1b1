package main

import (
	"strings"
	"testing"
)

// Whatever a configuration file has: no panic, and an error begins with the
// file.
func FuzzParseConfig(f *testing.F) {
	f.Add(example)
	f.Add("roster: [{name: a}]\nlisten: {a: 1}\ntiming: 3")
	f.Add("&a [*a, *a]")
	f.Add("cluster: &x shop\nauth: *x\n<<: {a: b}")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseConfig("f.yaml", []byte(text))
		if err == nil {
			err = d.checkRoster("shop")
		}
		if err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
