package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/client"
)

// FAILURES row 26: "wrong cluster, wrong secret, wrong witness behind the name:
// refused with the reason; counted as no vote".
func TestStrangers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	config := c.read("cluster.yaml")
	c.write("other-secret", strings.Repeat("fedcba9876543210", 2))
	c.write("secret.yaml", strings.Replace(config, "./secret", "./other-secret", 1))
	c.write("other.yaml", strings.Replace(config, "cluster: e2e", "cluster: other", 1))
	c.write("name.yaml", strings.Replace(config, "name: w,", "name: v,", 1))

	c.step("wrong secret in b's place", func() { c.checkStranger("b", "b", "secret.yaml", "wrong_secret") })
	c.step("other cluster in b's place", func() { c.checkStranger("b", "b", "other.yaml", "other_cluster") })
	c.step("other witness in w's place", func() { c.checkStranger("w", "v", "name.yaml", "wrong_name") })
	c.step("the right ones again", func() {
		c.kill("w")
		c.start("w")
		c.awaitAllVotes()
	})
}

// checkStranger puts another process in the place of a member. What the others
// need of the member is a vote, and data for b; the stranger gives and gets
// neither.
func (c *cluster) checkStranger(place, name, config, reason string) {
	c.t.Helper()
	if c.running[place].alive() {
		c.kill(place)
	}
	c.impersonate(place, name, config, "stranger-"+reason)
	c.running[place].awaitReady(c.t)
	if place == "w" && !c.running["b"].alive() {
		c.start("b") // so that a has a majority without the witness
	}
	await(c.t, "a refuses the stranger", func() error {
		v, err := c.votesOf("a")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(v.Voters, func(v client.Voter) bool { return v.Name == place })
		if i < 0 || v.Voters[i].Granted || !strings.Contains(v.Voters[i].Reason, reason) {
			return fmt.Errorf("%+v", v.Voters)
		}
		return nil
	})
	c.awaitState("a", "has the other two votes", func(s *client.Cluster) bool {
		return writable(s) && s.Write.Votes == client.Votes{Have: 2, Need: 2, Of: 3}
	})
	c.mustPut("a", client.Key{Collection: "probe", ID: reason}, `{}`)
	if text := c.running["a"].printed(); !strings.Contains(text, "reason="+reason) {
		c.t.Errorf("a does not say why it refused %s:\n%s", place, text)
	}
	if place != "b" {
		return
	}
	s, err := c.state(place)
	if err != nil {
		c.t.Fatal(err)
	}
	if !readOnly(s) || s.Write.Cause != "catching_up" || len(s.Frontier) != 0 {
		c.t.Errorf("the stranger got something: %+v %v", s.Write, s.Frontier)
	}
	c.running[place].terminate(c.t)
}

func (c *cluster) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
