package chaos

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// constant is the value of an expression that is written out; false for one
// that must be computed.
func constant(e syntax.Expr) (starlark.Value, bool) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return constant(e.X)
	case *syntax.Literal:
		switch v := e.Value.(type) {
		case string:
			return starlark.String(v), true
		case int64:
			return starlark.MakeInt64(v), true
		case *big.Int:
			return starlark.MakeBigInt(v), true
		case float64:
			return starlark.Float(v), true
		}
	case *syntax.Ident:
		if v, ok := starlark.Universe[e.Name]; ok && isOwn(v) {
			return v, true
		}
	case *syntax.UnaryExpr:
		if v, ok := constant(e.X); ok && e.Op == syntax.MINUS {
			out, err := starlark.Unary(syntax.MINUS, v)
			return out, err == nil
		}
	case *syntax.ListExpr:
		return constants(e.List)
	case *syntax.TupleExpr:
		return constants(e.List)
	}
	return nil, false
}

// isOwn says whether a name of Starlark itself is True, False or None.
func isOwn(v starlark.Value) bool {
	_, isBool := v.(starlark.Bool)
	return isBool || v == starlark.None
}

func constants(list []syntax.Expr) (starlark.Value, bool) {
	var out []starlark.Value
	for _, e := range list {
		v, ok := constant(e)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return starlark.NewList(out), true
}

// clusterParams are what cluster takes, all of it by name.
func clusterParams() *function {
	return &function{name: clusterName, params: []param{
		{name: "nodes", kind: anyValue, missing: "how many data nodes, or their names: cluster(nodes = 2, witness = True)"},
		optional("witness", aBool), optional("beat", aSpan), optional("lease", aSpan), optional("sync", aSync),
	}}
}

// errFirst is said of a script that does not begin as it must.
var errFirst = errors.New("a script begins with the cluster that it wants: cluster(nodes = 2, witness = True)")

// readCluster reads the first statement, which must be cluster(...) with
// constants.
func (c *inspector) readCluster(file *syntax.File) {
	top := syntax.MakePosition(&c.program.name, 1, 1)
	if len(file.Stmts) == 0 {
		c.add(top, errFirst)
		return
	}
	stmt, ok := file.Stmts[0].(*syntax.ExprStmt)
	if !ok {
		c.add(start(file.Stmts[0]), errFirst)
		return
	}
	call, ok := stmt.X.(*syntax.CallExpr)
	if !ok || isOurs(call) != clusterName {
		c.add(start(stmt), errFirst)
		return
	}
	at := start(call)
	c.program.asks = position{c.program.name, int(at.Line), int(at.Col)}
	var args starlark.Tuple
	var kwargs []starlark.Tuple
	for _, arg := range call.Args {
		value := arg
		pair, named := arg.(*syntax.BinaryExpr)
		if named = named && pair.Op == syntax.EQ; named {
			value = pair.Y
		}
		v, known := constant(value)
		if !known {
			c.add(start(value), errors.New("cluster: want a constant, since it is read before the script is run"))
			return
		}
		if named {
			kwargs = append(kwargs, starlark.Tuple{starlark.String(pair.X.(*syntax.Ident).Name), v})
		} else {
			args = append(args, v)
		}
	}
	a, err := clusterParams().unpack(args, kwargs, &Spec{})
	if err == nil {
		err = c.program.spec.fill(a)
	}
	if err != nil {
		c.add(start(call), err)
	}
}

// nodeName is the form of a member's name (API, "Starting a cluster").
var nodeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// minLease keeps a lease longer than what a busy machine needs for a ballot.
const minLease = 200 * time.Millisecond

// fill takes the arguments of cluster.
func (s *Spec) fill(a *arguments) error {
	switch v := a.values["nodes"].(type) {
	case starlark.Int:
		n, err := starlark.AsInt32(v)
		if err != nil || n < 1 || n > MaxNodes {
			return fmt.Errorf("cluster: nodes: want 1 to %d, not %s", MaxNodes, v)
		}
		for i := range n {
			s.Data = append(s.Data, string(rune('a'+i)))
		}
	case starlark.Sequence:
		s.Data = names(v)
		if len(s.Data) == 0 || len(s.Data) > MaxNodes {
			return fmt.Errorf("cluster: nodes: want 1 to %d names", MaxNodes)
		}
		for i, name := range s.Data {
			if !nodeName.MatchString(name) || name == witnessName || slices.Contains(s.Data[:i], name) {
				return fmt.Errorf("cluster: nodes: the name %q: want a small letter, then letters, digits and dashes; no name twice, and w is the witness", name)
			}
		}
	default:
		return fmt.Errorf("cluster: nodes: want a number or a list of names, not %s", v)
	}
	if a.bool("witness") {
		s.Witness = witnessName
	}
	s.Beat, s.Lease, s.Sync = a.span("beat", 0), a.span("lease", 0), a.text("sync")
	if s.Lease != 0 && s.Lease < minLease {
		return fmt.Errorf("cluster: lease: at least %s", minLease)
	}
	return nil
}
