package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/web"
)

// dataDebian is the value of --data that imports the machine's package index.
const dataDebian = "debian"

// errInterrupted ends a demo that was stopped before its story was told.
var errInterrupted = errors.New("interrupted: the demo has stopped its processes and removed its folder")

// newDemoCommand tells what the product does, with real processes.
func newDemoCommand(a *app) *cobra.Command {
	var story bool
	var data string
	cmd := &cobra.Command{
		Use: "demo", Short: "Two nodes and a witness as real processes tell what happens when their link is cut", Args: exactArgs(0),
		Long: "Starts two data nodes and a witness as real processes on free loopback ports in a temporary\n" +
			"folder, cuts their link, writes on both sides, heals it, tries rules on the conflict that this leaves,\n" +
			"and shows every answer as it came. It ends with 0 only if every claim held. On a terminal the cluster\n" +
			"then stays up until Ctrl-C, and a browser opens with the tour of the dashboard: the same, by hand.\n" +
			"With --data debian, the package index of this machine is imported through both nodes instead.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if data != "" && data != dataDebian {
				return usagef("--data %q: only %s is known", data, dataDebian)
			}
			// A terminal that is closed and a pipe that nobody reads end the demo too,
			// and nothing is left behind.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGPIPE)
			defer stop()
			d := &demo{app: a, stay: isTerminal(a.stdout) && !story, data: data, command: programName()}
			return d.run(ctx)
		},
	}
	cmd.Flags().BoolVar(&story, "story", false, "end after the story, on a terminal too")
	cmd.Flags().StringVar(&data, "data", "", "debian: import the package index of this machine")
	return cmd
}

// demo is one run of the command.
type demo struct {
	app     *app
	stay    bool   // the cluster stays up after the story
	data    string // dataDebian, or empty for the bank story
	command string // how this program is called
}

// run starts the cluster, tells the story, and leaves nothing behind.
func (d *demo) run(ctx context.Context) (err error) {
	t := &teller{out: d.app.stdout, colour: isTerminal(d.app.stdout) && d.app.getenv(envNoColor) == ""}
	tell := d.bank
	if d.data == dataDebian {
		packages, err := machinePackages().read(ctx)
		if err != nil {
			return err
		}
		tell = func(ctx context.Context, c *demoCluster, t *teller) error { return d.debian(ctx, c, t, packages) }
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start more of it: %w", err)
	}
	c, storyCtx, err := startDemoCluster(ctx, program, d.app.environ())
	if err != nil {
		return orInterrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := tell(storyCtx, c, t); err != nil {
		return orInterrupted(ctx, err)
	}
	if err := t.verdict(); err != nil {
		return err
	}
	if d.stay {
		return d.stayUp(ctx, storyCtx, c)
	}
	return nil
}

// orInterrupted prefers the plain word where somebody pressed Ctrl-C.
func orInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// bank tells the story of the account.
func (d *demo) bank(ctx context.Context, c *demoCluster, t *teller) error {
	s, err := newBankStory(c, t)
	if err != nil {
		return err
	}
	return s.tell(ctx)
}

// stayUp leaves the cluster running until Ctrl-C.
func (d *demo) stayUp(ctx, storyCtx context.Context, c *demoCluster) error {
	place, what, err := landingPlace()
	if err != nil {
		return err
	}
	page := c.url("a") + place
	fmt.Fprintf(d.app.stdout, "\nThe cluster stays up until Ctrl-C. %s: %s\nTry, in another terminal:\n", what, page)
	fmt.Fprintf(d.app.stdout, "  export %s=%s,%s\n", envNode, c.url("a"), c.url("b"))
	for _, example := range []string{
		"status --watch", "chaos cut a b --for 30s", `put accounts alice '{"balance":5}'`, "siblings accounts alice", "conflicts ls --state settled", "verify",
	} {
		fmt.Fprintf(d.app.stdout, "  %s %s\n", d.command, example)
	}
	d.openPage(ctx, page)
	<-storyCtx.Done()
	if cause := context.Cause(storyCtx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil // Ctrl-C is how it ends
}

// landingPlace is where a browser is sent, and what it finds there: the tour,
// which does by hand what the story has told, or without the dashboard the page
// that says how to build it.
func landingPlace() (place, what string, err error) {
	page, err := web.New()
	if err != nil {
		return "", "", err
	}
	if page.Built() {
		return "/ui/#/tour", "The same by hand, in a browser", nil
	}
	return "/ui/", "Its page", nil
}

// openPage opens the page in a browser, where there is a desktop with one. Its
// address has been printed, so nothing is lost where it cannot.
func (d *demo) openPage(ctx context.Context, page string) {
	opener := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		opener = "open"
	case d.app.getenv("DISPLAY") == "" && d.app.getenv("WAYLAND_DISPLAY") == "":
		return
	}
	if cmd := exec.CommandContext(ctx, opener, page); cmd.Start() == nil {
		go func() { _ = cmd.Wait() }() // whether it worked, the user sees
	}
}

// programName is how a user would call this program again.
func programName() string {
	exe, err := os.Executable()
	if err != nil {
		return "syncline"
	}
	if found, err := exec.LookPath("syncline"); err == nil && found == exe {
		return "syncline"
	}
	dir, err := os.Getwd()
	if err != nil {
		return exe
	}
	if short, err := filepath.Rel(dir, exe); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return exe
}
