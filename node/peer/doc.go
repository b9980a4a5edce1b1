// Package peer is authenticated HTTP between the processes of one cluster:
// mutual TLS 1.3 over connections that somebody else dials and accepts, so that
// faults put on the link underneath are real for it.
//
// Who belongs together is decided by the cluster secret alone. The key of the
// cluster's CA is derived from it (HKDF with SHA-256, RFC 5869, to an ed25519
// key), so every process computes the same CA, and issues a certificate for
// itself at each start: a fresh key, and its identity as a URI,
//
//	syncline://<cluster>/<role>/<name>
//
// Invariants:
//
//   - Nothing is read from a connection, and nothing but the handshake is
//     written to it, before the other end has proved the secret and an identity
//     of this cluster that the roster has, with its role. The dialler checks
//     that it reached the name that it dialled.
//   - Both ends judge the same facts after both have shown their certificates,
//     and the dialler says whom it wants (SNI). So a refusal is known with its
//     reason at both ends, and each end reports it, at a bounded rate. What only
//     the server can know (its roster) it answers as 403 with the reason.
//   - Certificates are valid until the year 9999 and are checked at a fixed
//     time: a wrong clock never cuts a node off.
//   - Ballots have connections of their own: a document of 16 MiB under way
//     does not hold one up. A call that ran into its deadline takes its
//     connection with it, so that the next one starts on a fresh one.
//   - No redirect is followed, no proxy is used, and every size and time is
//     bounded by a named constant.
//
// HTTP/1.1 only: one stream a connection is what keeps ballots apart from data.
package peer
