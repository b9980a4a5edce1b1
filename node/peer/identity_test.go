package peer_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/node/peer"
)

// The URI form is canonical: what is parsed prints as it was.
func TestIdentityRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id := peer.Identity{
			Cluster: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_-]{0,63}`).Draw(rt, "cluster"),
			Role:    rapid.SampledFrom([]peer.Role{peer.Data, peer.Replica, peer.Witness}).Draw(rt, "role"),
			Name:    rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Draw(rt, "name"),
		}
		got, err := peer.ParseIdentity(id.String())
		if err != nil || got != id {
			rt.Fatalf("%s: got %v, %v", id, got, err)
		}
	})
}

func TestIdentityRefusesOtherSpellings(t *testing.T) {
	for _, s := range []string{
		"", "syncline://", "syncline://shop/data", "syncline://shop/data/a/", "syncline:///data/a", "syncline://shop//a",
		"syncline://shop/data/", "syncline://shop/king/a", "syncline://shop/data/A", "syncline://shop/data/-a",
		"syncline://sh op/data/a", "syncline://shop:1/data/a", "syncline://u@shop/data/a", "syncline://shop/data/a?x",
		"http://shop/data/a", "SYNCLINE://shop/data/a", "syncline://shop/data/%61",
		"syncline://" + strings.Repeat("s", 65) + "/data/a", "syncline://shop/data/" + strings.Repeat("a", 33),
	} {
		if id, err := peer.ParseIdentity(s); err == nil {
			t.Errorf("%q was read as %+v", s, id)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add("syncline://shop/data/a")
	f.Add("syncline://shop/witness/w\x00")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := peer.ParseIdentity(s); err == nil && id.String() != s {
			t.Errorf("%q was read as %q", s, id)
		}
	})
}

// The derived keys are part of the protocol: processes of different builds must
// agree on them. HKDF-SHA256, no salt, info "syncline/v1/<purpose>".
func TestDerivedKeys(t *testing.T) {
	secret, err := peer.NewSecret([]byte(secretOne))
	if err != nil {
		t.Fatal(err)
	}
	for purpose, want := range map[peer.Purpose]string{
		peer.PurposeCA:      "22b2076e11dc4968da9fc892b279266ab925dba02461156781e9ec1dd5ad2b6e",
		peer.PurposeGossip:  "1842f55e9f262c4042f01ca44a90311cab1fbc8cc589938eb1227a2f4d06738f",
		peer.PurposeContext: "487c56bf976907bceb83aa4c88cef5804434bb30d7df263dbc8bce63a2d808b1",
	} {
		key, err := peer.DeriveKey(secret, purpose, 32)
		if got := hex.EncodeToString(key); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", purpose, got, err, want)
		}
	}
	if _, err := peer.DeriveKey(peer.Secret{}, peer.PurposeCA, 32); err == nil {
		t.Error("a key was derived from nothing")
	}
}

// FAILURES section 3: "secrets in logs: redacted".
func TestSecretDoesNotPrint(t *testing.T) {
	secret, err := peer.NewSecret([]byte(secretOne))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if s := fmt.Sprintf(format, secret); strings.Contains(s, "0123") || strings.Contains(s, "30313233") {
			t.Errorf("%s prints %s", format, s)
		}
	}
	if s := fmt.Sprintf("%+v", peer.CredentialsConfig{Secret: secret}); strings.Contains(s, "0123") {
		t.Errorf("within its config it prints: %s", s)
	}
	hidden := struct{ s peer.Secret }{secret}
	if s := fmt.Sprintf("%+v", hidden); strings.Contains(s, "48 49") {
		t.Errorf("in an unexported field it prints: %s", s)
	}
	if _, err := peer.NewSecret([]byte("short and secret")); err == nil || strings.Contains(err.Error(), "short and") {
		t.Errorf("a short secret: %v", err)
	}
}

func TestReadSecret(t *testing.T) {
	write := func(text string, mode os.FileMode) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	plain, warning, err := peer.ReadSecret(write(secretOne, 0o600))
	if err != nil || warning != "" {
		t.Fatalf("%q, %v", warning, err)
	}
	ended, warning, err := peer.ReadSecret(write(secretOne+"\r\n", 0o644))
	if err != nil || !strings.Contains(warning, "chmod 600") {
		t.Errorf("a file that all can read: %q, %v", warning, err)
	}
	one, _ := peer.DeriveKey(plain, peer.PurposeGossip, 32)
	two, _ := peer.DeriveKey(ended, peer.PurposeGossip, 32)
	if string(one) != string(two) {
		t.Error("a line end made another secret")
	}
	for text, want := range map[string]string{
		"":                                "0 bytes",
		secretOne[1:] + "\n":              "31 bytes, at least 32",
		strings.Repeat("s", 1<<20):        "more than 4096",
		strings.Repeat(" ", 100) + "\n\n": "0 bytes",
	} {
		if _, _, err := peer.ReadSecret(write(text, 0o600)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if _, _, err := peer.ReadSecret(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("no file: %v", err)
	}
}
