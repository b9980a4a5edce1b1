// Package scripts carries the chaos scripts that ship inside the program, so that
// a node can offer them over its API.
//
// Invariant: each file is a script that compiles; scripts/chaos tests that, and
// scripts/e2e runs them.
package scripts

import "embed"

// Files has one script each: NAME.star.
//
//go:embed *.star
var Files embed.FS
