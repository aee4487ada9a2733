// Package pki makes and keeps the certificates of one server: a certificate authority, a serving certificate, and
// the administrator's client certificate (group system:masters), so that a server is safe to reach from its first
// start without anybody configuring anything.
//
// Files are in one folder (0700), each 0600 and replaced atomically:
//
//	ca.crt      the authority's certificate; clients trust it
//	ca.key      its key; whoever reads it owns the server
//	server.pem  certificate and key of the listener
//	admin.pem   certificate and key of the administrator, as curl --cert takes it
//
// The authority's key is never made anew once it exists: what has been issued stays valid. All else is issued again
// when it would expire soon, or does not fit any more.
package pki

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/keelson-project/keelson/internal/certify"
)

// How long certificates are valid, and how long before their end new ones are made.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	// backdated allows for clocks of clients that are behind.
	backdated = 5 * time.Minute
)

// Options of Open.
type Options struct {
	// Hosts are names and IP addresses by which clients reach the server, beside those that every server has
	// (ServerHosts).
	Hosts []string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Authority issues the certificates. It is safe for concurrent use.
type Authority struct {
	dir   string
	hosts []string
	now   func() time.Time
	ca    certify.Authority

	mu     sync.Mutex
	server *tls.Certificate // the one that was served last
}

// Open reads the files in dir and makes those that are missing. Files that are there and cannot be read as what
// they are called are an error that names them: they may be somebody else's.
func Open(dir string, o Options) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a := &Authority{dir: dir, hosts: append(ServerHosts(), o.Hosts...), now: o.Now}
	if err := a.openAuthority(); err != nil {
		return nil, err
	}
	if _, err := a.serverCertificate(); err != nil {
		return nil, err
	}
	return a, nil
}

// openAuthority reads or makes the authority. Its certificate can be made from the key at any time, with the same
// name and key identifier: leaves verify against each.
func (a *Authority) openAuthority() error {
	keyFile, certFile := filepath.Join(a.dir, "ca.key"), a.CAFile()
	raw, err := os.ReadFile(keyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(certFile); err == nil {
			return fmt.Errorf("%s is there but its key %s is not", certFile, keyFile)
		}
		return a.makeAuthority(keyFile)
	case err != nil:
		return err
	}
	if a.ca.Key, err = certify.DecodeKey(raw); err != nil {
		return fmt.Errorf("%s: %w", keyFile, err)
	}
	raw, err = os.ReadFile(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return a.certifyAuthority()
	}
	if err != nil {
		return err
	}
	certs := certify.DecodeCertificates(raw)
	if len(certs) == 0 {
		return fmt.Errorf("%s: not a certificate in PEM", certFile)
	}
	a.ca.Cert = certs[0]
	if !a.ca.Key.PublicKey.Equal(a.ca.Cert.PublicKey) {
		return fmt.Errorf("%s and %s do not belong together", certFile, keyFile)
	}
	if a.expires(a.ca.Cert) {
		return a.certifyAuthority()
	}
	return nil
}

func (a *Authority) makeAuthority(keyFile string) (err error) {
	if a.ca.Key, err = certify.NewKey(); err != nil {
		return err
	}
	raw, err := certify.EncodeKey(a.ca.Key)
	if err != nil {
		return err
	}
	if err := WriteFile(keyFile, raw); err != nil {
		return err
	}
	return a.certifyAuthority()
}

func (a *Authority) certifyAuthority() error {
	ca, err := certify.NewAuthority(a.ca.Key, certify.Spec{
		Subject: pkix.Name{CommonName: "keelson-ca"}, NotBefore: a.now().Add(-backdated), NotAfter: a.now().Add(authorityLife),
	})
	if err != nil {
		return err
	}
	a.ca = *ca
	return WriteFile(a.CAFile(), a.CA())
}

// expires says that a certificate ends soon, or has not begun.
func (a *Authority) expires(c *x509.Certificate) bool {
	now := a.now()
	return now.Add(renewBefore).After(c.NotAfter) || now.Before(c.NotBefore)
}

// CAFile is the path of ca.crt.
func (a *Authority) CAFile() string { return filepath.Join(a.dir, "ca.crt") }

// AdminFile is the path of admin.pem, which Admin writes.
func (a *Authority) AdminFile() string { return filepath.Join(a.dir, "admin.pem") }

// CA is ca.crt, in PEM.
func (a *Authority) CA() []byte { return certify.EncodeCertificates(a.ca.Cert) }

// Pool holds the authority's certificate.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.ca.Cert)
	return pool
}

// TLSConfig is for the listener: HTTP/2 and HTTP/1.1, TLS 1.2 and later. It asks for client certificates and leaves
// it to auth.ClientCertificates to judge them. The serving certificate is renewed while the server runs.
func (a *Authority) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.serverCertificate()
		},
	}
}

func (a *Authority) serverCertificate() (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && !a.expires(a.server.Leaf) {
		return a.server, nil
	}
	cert, _, err := a.leaf(serverLeaf(a.hosts))
	if err != nil {
		return nil, err
	}
	a.server = cert
	return cert, nil
}

// Admin returns certificate and key of the administrator, in PEM.
func (a *Authority) Admin() (cert, key []byte, err error) {
	_, raw, err := a.leaf(adminLeaf())
	if err != nil {
		return nil, nil, err
	}
	cert, key = splitPEM(raw)
	return cert, key, nil
}

// ServerHosts are the names under which every server is known: those of this machine, and those of the service
// "kubernetes" that clients inside the cluster use.
func ServerHosts() []string {
	hosts := []string{
		"localhost", "127.0.0.1", "::1", "10.96.0.1",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	if name, err := os.Hostname(); err == nil && net.ParseIP(name) == nil {
		hosts = append(hosts, name)
	}
	return hosts
}
