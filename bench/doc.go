// Command bench measures Syncline against bench/bare, the floor: the same
// load, the same machine, the same run, turn by turn. It prints ratios, since
// a figure alone says more about the disk than about the program, and beside
// them the limits of the machine as measured in that run, and the commit.
//
// It starts the true programs on free loopback ports in a temporary folder,
// and stops them when it ends. Invariants:
//
//   - A ratio is the median of the ratios of the rounds; in a round the floor
//     and the product run directly one after the other.
//   - A part in which one request failed, or was refused where nothing should
//     be, is an error and prints no figure.
//   - A figure that misses its target is printed as missed. Targets are not
//     lowered here; they are those of the issue that set them.
package main
