package peer

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits of the cluster secret, in bytes.
const (
	MinSecret = 32
	MaxSecret = 4096
)

// Secret is the cluster secret. It prints as a placeholder, so that it never
// reaches a log by accident; the pointer keeps it out of what fmt prints of a
// struct that holds one in an unexported field, where methods do not count.
type Secret struct{ raw *[]byte }

// NewSecret takes the bytes of a secret, at least MinSecret and at most
// MaxSecret, without blanks at its ends.
func NewSecret(raw []byte) (Secret, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) < MinSecret:
		return Secret{}, fmt.Errorf("the cluster secret has %d bytes, at least %d are needed: `syncline token secret` writes one", len(raw), MinSecret)
	case len(raw) > MaxSecret:
		return Secret{}, fmt.Errorf("the cluster secret has more than %d bytes: is it the right file?", MaxSecret)
	}
	raw = bytes.Clone(raw)
	return Secret{raw: &raw}, nil
}

// ReadSecret reads the secret from a file; blanks and line ends around it do
// not count. The warning, when there is one, says what is wrong with the
// permissions of the file.
func ReadSecret(file string) (secret Secret, warning string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return Secret{}, "", fmt.Errorf("cluster secret: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, "", fmt.Errorf("cluster secret: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, 2*MaxSecret))
	if err != nil {
		return Secret{}, "", fmt.Errorf("cluster secret: %w", err)
	}
	if secret, err = NewSecret(raw); err != nil {
		return Secret{}, "", fmt.Errorf("%s: %w", file, err)
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		warning = fmt.Sprintf("%s can be read by others (mode %04o): chmod 600 %s", file, mode.Perm(), file)
	}
	return secret, warning, nil
}

// String hides the secret.
func (Secret) String() string { return "(cluster secret)" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "(cluster secret)" }

// Purpose says what a derived key is for. Keys of different purposes tell
// nothing about each other.
type Purpose string

// The purposes of derived keys.
const (
	PurposeCA      Purpose = "ca"      // the seed of the CA's key
	PurposeGossip  Purpose = "gossip"  // serf's packets and streams
	PurposeContext Purpose = "context" // the MAC of tokens that clients carry
)

// DeriveKey returns n bytes for one purpose, the same in every process that
// has the secret. n is at most 255 times 32.
func DeriveKey(s Secret, p Purpose, n int) ([]byte, error) {
	if s.raw == nil {
		return nil, errors.New("derive a key: there is no cluster secret")
	}
	return hkdf.Key(sha256.New, *s.raw, nil, "syncline/v1/"+string(p), n)
}
