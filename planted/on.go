//go:build planted

package planted

import (
	"os"
	"sync/atomic"
)

// chosen is the one bug of this process. It is a mutable global, which the
// house forbids elsewhere: a planted bug must reach every layer without
// showing in any signature, and this file is in no build that ships.
var chosen atomic.Pointer[Bug]

// On says whether the bug is planted in this process.
func On(b Bug) bool {
	p := chosen.Load()
	if p == nil {
		return Bug(os.Getenv("SYNCLINE_PLANT")) == b
	}
	return *p == b
}

// Choose plants one bug, or none with "".
func Choose(b Bug) { chosen.Store(&b) }
