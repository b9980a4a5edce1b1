//go:build !race

package script

// raceDetector says whether this is a build with the race detector.
const raceDetector = false
