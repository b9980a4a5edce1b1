package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// envPrefix begins the environment variables of the configuration: the key in
// upper case follows, with an underscore for a dot. Others with this prefix
// belong to the commands that talk to nodes, and to tests.
const envPrefix = "SYNCLINE_"

// The values of the setting auth.
const (
	authNone   = "none"
	authTokens = "tokens"
)

// The values of the setting storage.sync.
const (
	syncFull   = "full"   // each commit is on the disk before it is answered
	syncNormal = "normal" // a power cut may lose the last commits; the node then takes a new actor
)

// config is what a server is told.
type config struct {
	// Of the cluster, the same for every process.
	file       string // the configuration file
	cluster    string
	secretFile string // path
	members    []roleMember
	listen     map[string]addresses
	timing     witness.Timing
	auth       string
	full       bool // storage.sync is full

	// Of the process.
	name     string
	data     string // folder
	chaos    bool
	insecure bool
	found    bool
	logLevel hclog.Level

	origins []origin // of every setting, in the order of the table
}

// origin says where the value of a setting came from.
type origin struct {
	key, value, from string
}

// setting is one value that the file, the environment or a flag gives.
type setting struct {
	key      string
	flag     string // name of the flag that gives it; empty: none does
	inFile   bool   // the file may give it: it is the same for all processes
	fallback string
	put      func(c *config, text string) error
}

// variable is the environment variable of the setting.
func (s *setting) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// settings is the table of all settings but the lists of the file.
func settings() []setting {
	return []setting{
		{key: "cluster", inFile: true, put: func(c *config, text string) error { c.cluster = text; return peer.CheckCluster(text) }},
		{key: "secret_file", inFile: true, put: func(c *config, text string) error { c.secretFile = text; return nil }},
		{key: "timing.beat", inFile: true, fallback: witness.DefaultBeat.String(), put: func(c *config, text string) (err error) {
			c.timing.Beat, err = parseSpan(text)
			return err
		}},
		{key: "timing.lease", inFile: true, fallback: witness.DefaultLease.String(), put: func(c *config, text string) (err error) {
			c.timing.Lease, err = parseSpan(text)
			return err
		}},
		{key: "auth", inFile: true, fallback: authNone, put: putAuth},
		{key: "storage.sync", inFile: true, fallback: syncFull, put: putSync},
		{key: "name", flag: "name", put: func(c *config, text string) error { c.name = text; return vclock.CheckNodeName(text) }},
		{key: "data", flag: "data", put: func(c *config, text string) error { c.data = text; return nil }},
		{key: "chaos", flag: "chaos", fallback: "false", put: func(c *config, text string) error { return putBool(&c.chaos, text) }},
		{key: "insecure", flag: "insecure", fallback: "false", put: func(c *config, text string) error { return putBool(&c.insecure, text) }},
		{key: "found", flag: "found", fallback: "false", put: func(c *config, text string) error { return putBool(&c.found, text) }},
		{key: "log_level", flag: "log-level", fallback: "info", put: putLogLevel},
	}
}

func parseSpan(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write a number and a unit, such as 150ms or 2s", text)
	}
	return d, nil
}

func putBool(to *bool, text string) error {
	switch text {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return fmt.Errorf("%q: want true or false", text)
	}
	return nil
}

func putAuth(c *config, text string) error {
	c.auth = text
	switch text {
	case authNone:
		return nil
	case authTokens:
		return errors.New("tokens are not built yet: use none, with the API on loopback addresses")
	}
	return fmt.Errorf("%q: want %s (%s are not built yet)", text, authNone, authTokens)
}

func putSync(c *config, text string) error {
	c.full = text == syncFull
	if text != syncFull && text != syncNormal {
		return fmt.Errorf("%q: want %s or %s", text, syncFull, syncNormal)
	}
	return nil
}

func putLogLevel(c *config, text string) error {
	if c.logLevel = hclog.LevelFromString(text); c.logLevel == hclog.NoLevel {
		return fmt.Errorf("%q: want trace, debug, info, warn, error or off", text)
	}
	return nil
}

// loadConfig reads the configuration of a server: the file, then the
// environment, then the flags; the later wins.
func loadConfig(a *app, flags *pflag.FlagSet) (*config, error) {
	c := &config{}
	if err := c.findFile(a, flags); err != nil {
		return nil, err
	}
	doc, err := readConfigFile(c.file)
	if err != nil {
		return nil, err
	}
	values, from, err := layers(a, flags, doc)
	if err != nil {
		return nil, err
	}
	table := settings()
	for i := range table {
		if err := c.put(&table[i], values, from); err != nil {
			return nil, err
		}
	}
	c.members, c.listen = doc.members, doc.listen
	c.origins = append(c.origins, doc.origins()...)
	if from["secret_file"].inFile && !filepath.IsAbs(c.secretFile) {
		c.secretFile = filepath.Join(filepath.Dir(c.file), c.secretFile)
	}
	return c, c.check(doc, from)
}

// findFile settles which file is read. It is the one setting that the file
// cannot give.
func (c *config) findFile(a *app, flags *pflag.FlagSet) error {
	from := "--config"
	c.file, _ = flags.GetString("config")
	if c.file == "" {
		from = envPrefix + "CONFIG"
		c.file = a.getenv(from)
	}
	if c.file == "" {
		return &usageError{errors.New("--config is missing: the file that describes the cluster")}
	}
	c.origins = append(c.origins, origin{"config", c.file, from})
	return nil
}

// source is where a value came from.
type source struct {
	text   string // a file with its line, a variable, a flag
	inFile bool
	isFlag bool
}

// layers joins the three sources of values.
func layers(a *app, flags *pflag.FlagSet, doc *document) (*koanf.Koanf, map[string]source, error) {
	byVariable, byFlag := map[string]string{}, map[string]string{}
	for _, s := range settings() {
		byVariable[s.variable()] = s.key
		if s.flag != "" {
			byFlag[s.flag] = s.key
		}
	}
	from := map[string]source{}
	values := koanf.New(".")
	err := errors.Join(
		values.Load(doc, nil),
		values.Load(env.Provider(".", env.Opt{EnvironFunc: a.environ, Prefix: envPrefix, TransformFunc: func(name, value string) (string, any) {
			key := byVariable[name]
			if key != "" {
				from[key] = source{text: name}
			}
			return key, value
		}}), nil),
		values.Load(posflag.ProviderWithFlag(flags, ".", values, func(f *pflag.Flag) (string, any) {
			key := byFlag[f.Name]
			if key == "" || !f.Changed {
				return "", nil
			}
			from[key] = source{text: "--" + f.Name, isFlag: true}
			return key, f.Value.String()
		}), nil),
	)
	for key, line := range doc.lines {
		if _, ok := from[key]; !ok {
			from[key] = source{text: doc.at(line), inFile: true}
		}
	}
	return values, from, err
}

// put settles one setting.
func (c *config) put(s *setting, values *koanf.Koanf, from map[string]source) error {
	origin := origin{s.key, s.fallback, "default"}
	where, given := from[s.key]
	if given {
		origin.value, origin.from = values.String(s.key), where.text
	}
	if origin.value == "" {
		return nil // check says what must be given
	}
	c.origins = append(c.origins, origin)
	err := s.put(c, origin.value)
	switch {
	case err == nil:
		return nil
	case where.isFlag:
		return &usageError{fmt.Errorf("%s: %w", where.text, err)}
	case where.inFile:
		return fmt.Errorf("%s: %s: %w", where.text, s.key, err)
	}
	return fmt.Errorf("%s: %w", where.text, err)
}

// check looks at what only the whole can show.
func (c *config) check(doc *document, from map[string]source) error {
	for _, must := range []struct{ key, value string }{{"cluster", c.cluster}, {"secret_file", c.secretFile}} {
		if must.value == "" {
			return fmt.Errorf("%s: %s is missing", c.file, must.key)
		}
	}
	c.timing = witness.TimingOf(c.timing.Beat, c.timing.Lease)
	if err := c.timing.Check(); err != nil {
		// The line of the one that was set, of the lease when both were.
		where := cmp.Or(from["timing.lease"].text, from["timing.beat"].text)
		return fmt.Errorf("%s: %w", where, err)
	}
	return doc.checkRoster(c.cluster)
}

// checkMe says why this process cannot be the member of the roster that it is
// told to be.
func (c *config) checkMe(role peer.Role) error {
	if c.name == "" {
		return &usageError{errors.New("--name is missing: which member of the roster this process is")}
	}
	if c.data == "" {
		return &usageError{errors.New("--data is missing: the folder of this process")}
	}
	i := slices.IndexFunc(c.members, func(m roleMember) bool { return m.Name == c.name })
	if i < 0 {
		var names []string
		for _, m := range c.members {
			names = append(names, m.Name)
		}
		return fmt.Errorf("%s: the roster has no member %s; it has %s", c.file, c.name, strings.Join(names, ", "))
	}
	if m := c.members[i]; m.Role != role {
		command := map[peer.Role]string{peer.Data: "serve", peer.Witness: "witness"}[m.Role]
		return fmt.Errorf("%s: the roster has %s with the role %s: start it by `syncline %s`", c.file, c.name, m.Role, command)
	}
	return nil
}
