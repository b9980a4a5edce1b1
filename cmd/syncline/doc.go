// Command syncline is the whole product in one binary: the servers (serve,
// witness), the commands that talk to them, and the demo.
//
// The package wires and decides nothing. It reads the command line and the
// configuration, hands the parts of the house to each other through the small
// interfaces that they declare, and shows their state in the shapes of the
// API. Commands that talk to nodes do so through package client.
//
// Invariants:
//
//   - each long-lived actor of a process stands in one function, runServe or
//     runWitness, with the order in which they start and stop;
//   - standard output of a server has one line, "ready …"; all else is logged
//     to standard error;
//   - whatever ends a process leaves one clear line and an exit code of the
//     table in root.go;
//   - what the configuration has, each value with the place that it came from,
//     is decided in config.go alone: file, then environment, then flags;
//   - nothing in here is global: run takes the world as an argument, so that
//     tests run the true program.
package main
