// Package chaos runs scripts that break a cluster and watch what it does.
//
// A script is a page of Starlark. Its first statement, cluster(...), says which
// cluster it wants; the rest is carried out from the top: faults, writes, loads,
// and what is expected. Compile checks syntax, names, argument names, and every
// argument that is written as a constant, against the cluster that the script
// asks for, before anything is started. Run carries a script out on a Cluster,
// writes a history (package history), and ends with a Verdict: every run heals
// what is broken, starts what is down, waits until all data nodes are equal, and
// accounts for every acknowledged write on every node, whatever the script says.
//
// Invariants:
//
//   - every fault has an end, which the script must name;
//   - what is random is drawn from the seed, and said; the same script with the
//     same seed draws the same;
//   - a load that had too few acknowledged writes makes a run void, which is a
//     failure: it proves nothing;
//   - all that runs in the background ends with Run;
//   - the verdict is computed from the history alone, so that it can be checked
//     again from the file.
//
// The package knows no processes and no network: a Cluster does, and its nodes
// are clients. The form of a run (workload, nemesis, history, checkers) is that
// of Jepsen.
package chaos
