package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// credentialID is the key of User.Extra under which Kubernetes names the credential that was shown.
const credentialID = "authentication.kubernetes.io/credential-id"

// maxKnownCertificates bounds what ClientCertificates remembers. When it is reached, all is forgotten and verified
// anew: clients with so many certificates are rare, and forgetting costs a tenth of a millisecond each.
const maxKnownCertificates = 1024

// ClientCertificates authenticates TLS client certificates signed by a CA: the common name is the user's name, the
// organizations are its groups. The listener must ask for certificates without verifying them
// (tls.RequestClientCert), so that a wrong one is answered with 401 and not with a broken handshake.
type ClientCertificates struct {
	roots *x509.CertPool
	now   func() time.Time

	mu sync.RWMutex
	// known users by the hash of the certificates that they showed: verifying a chain costs more than most requests.
	known map[[sha256.Size]byte]knownCertificate
}

type knownCertificate struct {
	user  *User
	until time.Time // the first certificate of the chain expires
}

// NewClientCertificates returns an authenticator for certificates signed by one of roots. now is the clock by which
// they expire; nil is time.Now.
func NewClientCertificates(roots *x509.CertPool, now func() time.Time) *ClientCertificates {
	if now == nil {
		now = time.Now
	}
	return &ClientCertificates{roots: roots, now: now, known: map[[sha256.Size]byte]knownCertificate{}}
}

// AuthenticateRequest implements Authenticator.
func (c *ClientCertificates) AuthenticateRequest(r *http.Request) (*User, bool, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, false, nil
	}
	certs := r.TLS.PeerCertificates
	key := hashCertificates(certs)
	c.mu.RLock()
	k, ok := c.known[key]
	c.mu.RUnlock()
	if ok && c.now().Before(k.until) {
		return k.user, true, nil
	}
	k, err := c.verify(certs)
	if err != nil {
		return nil, false, fmt.Errorf("client certificate of %q: %w", certs[0].Subject.CommonName, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnownCertificates {
		clear(c.known)
	}
	c.known[key] = k
	return k.user, true, nil
}

func (c *ClientCertificates) verify(certs []*x509.Certificate) (knownCertificate, error) {
	intermediates := x509.NewCertPool()
	for _, cert := range certs[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: intermediates, CurrentTime: c.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return knownCertificate{}, err
	}
	leaf := certs[0]
	if leaf.Subject.CommonName == "" {
		return knownCertificate{}, fmt.Errorf("its subject has no common name, which would be the user's name")
	}
	k := knownCertificate{until: leaf.NotAfter}
	for _, cert := range chains[0] {
		if cert.NotAfter.Before(k.until) {
			k.until = cert.NotAfter
		}
	}
	sum := sha256.Sum256(leaf.Raw)
	k.user = authenticated(&User{
		Name: leaf.Subject.CommonName, Groups: leaf.Subject.Organization,
		Extra: map[string][]string{credentialID: {"X509SHA256=" + hex.EncodeToString(sum[:])}},
	})
	return k, nil
}

func hashCertificates(certs []*x509.Certificate) (sum [sha256.Size]byte) {
	if len(certs) == 1 {
		return sha256.Sum256(certs[0].Raw)
	}
	h := sha256.New()
	for _, cert := range certs {
		h.Write(cert.Raw) // DER says its own length: a chain cannot be read as another
	}
	h.Sum(sum[:0])
	return sum
}
