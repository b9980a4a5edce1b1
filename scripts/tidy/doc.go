// Package tidy holds the tests of the house: it reads the source of the whole
// module and reports what breaks the layout, the layers and the habits that
// every package here keeps. It runs as a Go test, first of all parts of
// `make test`, so that a broken rule is known in a second.
//
// Invariants of the checker itself:
//
//   - It reads syntax only. It needs no build, so it also judges code that does
//     not compile yet, and files behind build tags.
//   - A package that no table knows is a problem: nobody adds a package
//     without saying in layers.go what it may import.
//   - Every rule has a fixture in testdata which it must reject, and the same
//     fixtures say what it must let pass.
package tidy
