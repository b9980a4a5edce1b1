// Package resolvers carries the examples of resolvers inside the program, so
// that the demo stores the very files that people are pointed to.
//
// Invariant: each file is a resolver that compiles, whose tests pass, and on
// which all nodes agree; conflict/script tests that.
package resolvers

import "embed"

// Files has one script each: NAME.star.
//
//go:embed *.star
var Files embed.FS
