package conflict_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

func limits() conflict.ConfigLimits {
	return conflict.ConfigLimits{DefaultBody: 1 << 20, MaxBody: 16 << 20}
}

// What a configuration does not say has its default, and what is written says
// all of it and is read as the same.
func TestConfigRoundTrip(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"policy":{"kind":"lww","path":"/a~1b/~0c"},"delete":"update_wins","records":"forever"}`,
		`{"policy":{"kind":"manual"},"require_context":true,"limits":{"body":7},"records":"0s"}`,
	} {
		c, err := conflict.ParseConfig([]byte(text), limits())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		whole, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := conflict.ParseConfig(whole, limits())
		if err != nil {
			t.Fatalf("%s: %v", whole, err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(whole) {
			t.Errorf("%s, then %s, %v", whole, twice, err)
		}
	}
	def, err := json.Marshal(conflict.DefaultConfig(limits()))
	want := `{"policy":{"kind":"lww"},"ack":"local","minority":"refuse","require_context":false,"delete":"lww","history":"0s","records":"720h","limits":{"body":1048576}}`
	if err != nil || string(def) != want {
		t.Errorf("%s, %v", def, err)
	}
}

// A retention is written as it is read.
func TestRetentionText(t *testing.T) {
	for text, want := range map[string]conflict.Retention{
		"0s": 0, "90s": conflict.Retention(90 * time.Second), "1m30s": conflict.Retention(90 * time.Second),
		"720h": conflict.DefaultRecords, "1h0m5s": conflict.Retention(time.Hour + 5*time.Second), "forever": conflict.Forever,
		"10m": conflict.Retention(10 * time.Minute), "100h30m": conflict.Retention(100*time.Hour + 30*time.Minute),
	} {
		var got, again conflict.Retention
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
		out, err := got.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(out); err != nil || again != want {
			t.Errorf("%s was written as %s", text, out)
		}
	}
}

// policies are all that a configuration without scripts can ask for.
func drawPolicy(t *rapid.T) conflict.LWW {
	p := conflict.LWW{Delete: rapid.SampledFrom([]conflict.DeletePolicy{"", conflict.DeleteLWW, conflict.UpdateWins, conflict.DeleteWins}).Draw(t, "delete")}
	if rapid.Bool().Draw(t, "by path") {
		p.Path = []string{"n"}
	}
	return p
}

// "For every policy the shown value is the same for every order and every way in
// which the siblings arrived" (issue 4).
func TestEveryPolicyIsAFunctionOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := twinned(t)
		for _, v := range all {
			if !v.Deleted && rapid.Bool().Draw(t, "numbered") {
				v.Body = fmt.Appendf(nil, `{"n":%s}`, rapid.SampledFrom([]string{"1", "1.0", "10e-1", "2", `"3"`, "-1e300", "null"}).Draw(t, "n"))
			}
			v.Sum = v.ComputeSum()
		}
		p := drawPolicy(t)
		one := join(nil, vclock.Vector{}, all...)
		other := join(nil, vclock.Vector{}, rapid.Permutation(all).Draw(t, "order")...)
		a, b := p.Show(one), p.Show(other)
		if a.Winner != b.Winner {
			t.Fatalf("%s for one order, %s for another", a.Winner.Dot, b.Winner.Dot)
		}
		if wrong := againstDeletePolicy(p, one); wrong != "" {
			t.Fatal(wrong)
		}
	})
}

// againstDeletePolicy says what a policy shows against its own rule about a
// delete beside an update; "" for nothing.
func againstDeletePolicy(p conflict.LWW, s conflict.Siblings) string {
	shown := p.Show(s)
	for _, v := range s.Visible() {
		switch {
		case p.Delete == conflict.UpdateWins && shown.Deleted && !v.Deleted:
			return fmt.Sprintf("the delete %s is shown beside the update %s", shown.Winner.Dot, v.Dot)
		case p.Delete == conflict.DeleteWins && !shown.Deleted && v.Deleted:
			return fmt.Sprintf("the update %s is shown beside the delete %s", shown.Winner.Dot, v.Dot)
		case p.Delete != conflict.UpdateWins && p.Delete != conflict.DeleteWins && len(p.Path) == 0 && v != shown.Winner && conflict.Newer(v, shown.Winner):
			return fmt.Sprintf("%s is shown beside the newer %s", shown.Winner.Dot, v.Dot)
		}
	}
	return ""
}

// "The newest by (time, actor), or the largest by a numeric path of the document,
// then time" (DESIGN 7): exactly, whatever the numbers' form.
func TestLargestByPath(t *testing.T) {
	p := conflict.LWW{Path: []string{"v", "n"}}
	show := func(bodies ...string) string {
		var s conflict.Siblings
		for i, body := range bodies {
			v := version(dot(someActors[i], 1), vclock.Time(10-i), vclock.Context{}) // the first is the newest
			v.Body = []byte(body)
			v.Sum = v.ComputeSum()
			s = s.Add(v, vclock.Vector{}).Live
		}
		return string(p.Show(s).Body)
	}
	for want, others := range map[string][]string{
		`{"v":{"n":9007199254740993}}`: {`{"v":{"n":9007199254740992}}`},
		`{"v":{"n":1e3}}`:              {`{"v":{"n":999.9}}`},
		`{"v":{"n":-1}}`:               {`{"v":{"n":"7"}}`, `{"v":7}`, `{}`},
	} {
		if got := show(append(others, want)...); got != want {
			t.Errorf("%s is shown, want %s", got, want)
		}
	}
	if got := show(`{"v":{"n":2.50}}`, `{"v":{"n":25e-1}}`); got != `{"v":{"n":2.50}}` {
		t.Errorf("of equal numbers %s is shown, want the newer one", got)
	}
}
