package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/rest"
	shipped "github.com/syncline/syncline/scripts"
	"github.com/syncline/syncline/scripts/chaos"
)

const (
	// flagChaosScripts names the folder of the scripts that the API offers.
	flagChaosScripts = "chaos-scripts"

	// maxOffered is how many scripts a node offers: the first by name.
	maxOffered = 256

	// scriptSuffix ends the file name of a script.
	scriptSuffix = ".star"
	// shippedFolder is where the scripts that ship lie in the sources.
	shippedFolder = "scripts"
)

// scriptName is what a script may be called, so that a name is no path.
var scriptName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// offeredScripts are the chaos scripts that a node offers over its API: those of
// one folder, or those that ship.
type offeredScripts struct {
	folder string // empty: those that ship
	roster roster // the cluster that they must fit
}

// newOfferedScripts reads --chaos-scripts.
func newOfferedScripts(cfg *config, flags *pflag.FlagSet) (*offeredScripts, error) {
	folder, err := flags.GetString(flagChaosScripts)
	if err != nil {
		return nil, err
	}
	if folder != "" && !cfg.chaos {
		return nil, usagef("--%s names scripts that break the cluster on purpose, so it needs --chaos", flagChaosScripts)
	}
	s := &offeredScripts{folder: folder}
	if err := s.each(func(fs.FS, []string) error { return nil }); err != nil {
		return nil, fmt.Errorf("--%s: %w", flagChaosScripts, err)
	}
	return s, nil
}

// each opens the folder as it is now, and hands on the names of the scripts in
// it. What lies outside the folder cannot be reached through it.
func (s *offeredScripts) each(do func(files fs.FS, names []string) error) error {
	files := fs.FS(shipped.Files)
	if s.folder != "" {
		root, err := os.OpenRoot(s.folder)
		if err != nil {
			return err
		}
		defer root.Close()
		files = root.FS()
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), scriptSuffix); is && scriptName.MatchString(name) && len(names) < maxOffered {
			names = append(names, name)
		}
	}
	return do(files, names)
}

// offered is one script that was read. Where it is wrong, program is nil and
// wrong says why.
type offered struct {
	name    string
	source  string
	program *chaos.Program
	wrong   *rest.ChaosScriptError // it is wrong, or does not fit
}

// list reads all scripts.
func (s *offeredScripts) list() (out []rest.ChaosScript, err error) {
	err = s.each(func(files fs.FS, names []string) error {
		for _, name := range names {
			one := s.read(files, name).shown()
			one.Source = ""
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, &node.Error{Op: "list scripts", Kind: node.NotFound, Err: fmt.Errorf("the folder of --%s cannot be read: %w", flagChaosScripts, err)}
	}
	return out, nil
}

// find reads one script.
func (s *offeredScripts) find(name string) (one *offered, err error) {
	if !scriptName.MatchString(name) {
		return nil, &node.Error{
			Op: "find script", Kind: node.Invalid, Key: fmt.Sprintf("%.80q", name),
			Err: errors.New("the name of a script is a small letter, then small letters, digits and _, and no path"),
		}
	}
	err = s.each(func(files fs.FS, names []string) error {
		if slices.Contains(names, name) {
			one = s.read(files, name)
			return nil
		}
		return errors.New("there is no such script; GET /v1/chaos/scripts lists those that there are")
	})
	if err != nil {
		return nil, &node.Error{Op: "find script", Kind: node.NotFound, Key: name, Err: err}
	}
	return one, nil
}

// read reads, compiles and measures one script.
func (s *offeredScripts) read(files fs.FS, name string) *offered {
	out := &offered{name: name}
	var err error
	if out.source, err = readScript(files, name+scriptSuffix); err != nil {
		out.wrong = s.wrong(name, err)
		return out
	}
	if out.program, err = chaos.Compile(name+scriptSuffix, out.source); err != nil {
		out.wrong = s.wrong(name, err)
		return out
	}
	if err := s.misfit(out.program); err != nil {
		out.wrong = s.wrong(name, err)
		last := &out.wrong.Problems[len(out.wrong.Problems)-1]
		last.Msg += "; on a cluster of its own it runs by: " + s.command(out.program)
	}
	return out
}

// readScript reads a regular file: to open another kind might not come back.
func readScript(files fs.FS, file string) (string, error) {
	info, err := fs.Stat(files, file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("this is no regular file")
	}
	f, err := files.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	// One byte more than a script may have is enough to see that it is too long.
	text, err := io.ReadAll(io.LimitReader(f, chaos.MaxSource+1))
	return string(text), err
}

// misfit says why a script cannot be run on this cluster as it is.
func (s *offeredScripts) misfit(p *chaos.Program) error {
	if err := p.FitsCluster(s.roster.roles()); err != nil {
		return err
	}
	for _, m := range s.roster.Members {
		if m.API == "" {
			return noAPI(m.Name)
		}
	}
	return p.Fits(lacksOverAPI)
}

// lacksOverAPI says what a run over the API cannot do.
func lacksOverAPI(a chaos.Ability) string {
	switch a {
	case chaos.Processes, chaos.Clocks:
		return "a run over the API takes the running cluster, whose processes and clocks it leaves alone"
	case chaos.Ports, chaos.Delays:
		return (&runningCluster{}).Lacks(a)
	}
	return ""
}

// command is the command line that runs a script on a cluster of its own.
func (s *offeredScripts) command(p *chaos.Program) string {
	how := ""
	if p.Fits((&chaosProcesses{}).Lacks) != nil {
		how = " --net=" + netNS
	}
	folder := cmp.Or(s.folder, shippedFolder)
	return "syncline chaos run " + path.Join(folder, p.Name()) + how
}

// wrong turns an error about a script into that of the API.
func (s *offeredScripts) wrong(name string, err error) *rest.ChaosScriptError {
	out := &rest.ChaosScriptError{File: name + scriptSuffix}
	e, ok := errors.AsType[*chaos.CompileError](err)
	if !ok {
		out.Problems = []script.Problem{{Line: 1, Column: 1, Msg: err.Error()}}
		return out
	}
	for _, p := range e.Problems {
		out.Problems = append(out.Problems, script.Problem{Line: p.Line, Column: p.Column, Msg: p.Msg})
	}
	return out
}

// shown is the script as the API shows it.
func (o *offered) shown() rest.ChaosScript {
	out := rest.ChaosScript{Name: o.name, Data: []string{}, Source: o.source, Fits: o.wrong == nil}
	if o.program != nil {
		spec := o.program.Spec()
		out.About, out.Data, out.Witness = o.program.About(), spec.Data, spec.Witness
	}
	if o.wrong != nil {
		out.WhyNot = o.wrong.Error()
	}
	return out
}
