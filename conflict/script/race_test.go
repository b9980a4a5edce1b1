//go:build race

package script

// raceDetector says whether this is a build with the race detector, whose
// workers take far more time and address space.
const raceDetector = true
