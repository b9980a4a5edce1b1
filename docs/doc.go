// Package docs holds the pages of documentation that a node serves itself.
package docs

import "embed"

// Files has problems.md, one section for each code of the API's problems: what
// their type leads to.
//
//go:embed problems.md
var Files embed.FS
