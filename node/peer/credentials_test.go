package peer

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

// DESIGN section 11: "the cluster's CA key is derived from the cluster secret"
// and "Derived certificates do not expire: a wrong clock must not cut a node
// off."
func TestDerivedCertificates(t *testing.T) {
	secret, err := NewSecret(bytes.Repeat([]byte("s"), MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := DeriveKey(secret, PurposeCA, ed25519.SeedSize)
	if err != nil {
		t.Fatal(err)
	}
	one, err := newCA(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	two, err := newCA(ed25519.NewKeyFromSeed(seed))
	if err != nil || !one.Equal(two) {
		t.Errorf("two processes compute different CAs: %v", err)
	}
	cfg := CredentialsConfig{Secret: secret, Identity: Identity{Cluster: "shop", Role: Data, Name: "a"}}
	a, err := NewCredentials(cfg)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewCredentials(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.leaf.Certificate[0], again.leaf.Certificate[0]) {
		t.Error("two processes have one leaf")
	}
	leaf, err := x509.ParseCertificate(a.leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*x509.Certificate{one, leaf} {
		if !c.NotAfter.Equal(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)) || c.NotBefore.Year() > 2000 {
			t.Errorf("%s is valid from %s to %s", c.Subject, c.NotBefore, c.NotAfter)
		}
	}
	if leaf.IsCA {
		t.Error("a leaf can issue certificates")
	}
	got, err := again.identify(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, x509.ExtKeyUsageClientAuth)
	if err != nil || got != cfg.Identity {
		t.Errorf("the leaf proves %v, %v", got, err)
	}
	for what, certs := range map[string][]*x509.Certificate{"nothing": nil, "the CA itself": {one}} {
		if id, err := again.identify(tls.ConnectionState{PeerCertificates: certs}, x509.ExtKeyUsageClientAuth); err == nil {
			t.Errorf("%s proves %v", what, id)
		}
	}
}
