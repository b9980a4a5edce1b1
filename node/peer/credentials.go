package peer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// Credentials are what a process shows to others and checks them with.
type Credentials struct {
	identity Identity
	roots    *x509.CertPool
	leaf     tls.Certificate
}

// CredentialsConfig says who a process is. All of it must be set.
type CredentialsConfig struct {
	Secret   Secret
	Identity Identity
}

// NewCredentials computes the cluster's CA and issues a certificate with a
// fresh key, for the life of the process.
func NewCredentials(cfg CredentialsConfig) (*Credentials, error) {
	if err := cfg.Identity.check(); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	seed, err := DeriveKey(cfg.Secret, PurposeCA, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	caKey := ed25519.NewKeyFromSeed(seed)
	ca, err := newCA(caKey)
	if err != nil {
		return nil, fmt.Errorf("compute the cluster's CA: %w", err)
	}
	leaf, err := newLeaf(cfg.Identity, ca, caKey)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", cfg.Identity, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return &Credentials{identity: cfg.Identity, roots: roots, leaf: leaf}, nil
}

// Identity returns who this process is.
func (c *Credentials) Identity() Identity { return c.identity }

// Certificates do not expire, and the time at which they are checked is fixed
// between their ends.
func notBefore() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }
func checkedAt() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
func notAfter() time.Time  { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }

// newCA makes the CA's certificate. Nothing in it is random, and it never
// crosses the wire: every process makes its own copy.
func newCA(key ed25519.PrivateKey) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Syncline cluster CA"},
		NotBefore:             notBefore(),
		NotAfter:              notAfter(),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newLeaf(id Identity, ca *x509.Certificate, caKey ed25519.PrivateKey) (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	uri, err := url.Parse(id.String())
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: id.Name},
		NotBefore:   notBefore(),
		NotAfter:    notAfter(),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{uri},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, public, caKey) // draws a serial number
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
}

// identify returns who the certificates of a connection prove the other end to
// be, or the refusal.
func (c *Credentials) identify(state tls.ConnectionState, usage x509.ExtKeyUsage) (Identity, error) {
	if len(state.PeerCertificates) == 0 {
		return Identity{}, &RefusedError{Reason: BadCertificate, Detail: "it showed no certificate"}
	}
	cert := state.PeerCertificates[0]
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: c.roots, CurrentTime: checkedAt(), KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
			return Identity{}, &RefusedError{Reason: WrongSecret, Detail: "its certificate comes from another cluster secret than ours: compare the secret files"}
		}
		return Identity{}, &RefusedError{Reason: BadCertificate, Detail: err.Error()}
	}
	if len(cert.URIs) != 1 {
		return Identity{}, &RefusedError{Reason: BadCertificate, Detail: fmt.Sprintf("its certificate has %d identities, want 1", len(cert.URIs))}
	}
	id, err := ParseIdentity(cert.URIs[0].String())
	if err != nil {
		return Identity{}, &RefusedError{Reason: BadCertificate, Detail: err.Error()}
	}
	if id.Cluster != c.identity.Cluster {
		return id, &RefusedError{Reason: OtherCluster, Detail: fmt.Sprintf("it belongs to cluster %s, we to %s: check its address and its configuration", id.Cluster, c.identity.Cluster)}
	}
	return id, nil
}

// serverTLS proves the secret within the handshake: who does not have it gets
// no connection.
func (c *Credentials) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{c.leaf},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true, // every connection proves itself afresh
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := c.identify(state, x509.ExtKeyUsageClientAuth)
			return err
		},
	}
}

// clientTLS leaves the check of the server to the caller, who makes it after
// the handshake and before anything else: in TLS 1.3 a client that refuses
// within the handshake has not shown its own certificate yet, and the server
// would never learn why. Nobody but connect uses it.
func (c *Credentials) clientTLS(wanted string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{c.leaf},
		ServerName:         wanted,
		InsecureSkipVerify: true, // identify checks the chain, the cluster, the name and the role
	}
}
