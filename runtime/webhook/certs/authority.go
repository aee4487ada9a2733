package certs

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"time"

	"github.com/keelson-project/keelson/internal/certify"
)

// backdated is how far certificates reach into the past, for clients whose clocks are behind.
const backdated = time.Hour

func newAuthority(now time.Time, life time.Duration) (*certify.Authority, error) {
	key, err := certify.NewKey()
	if err != nil {
		return nil, err
	}
	return certify.NewAuthority(key, certify.Spec{
		Subject: pkix.Name{CommonName: "webhook-ca"}, NotBefore: now.Add(-backdated), NotAfter: now.Add(life),
	})
}

// issue makes a serving certificate that is good for hosts, no longer than the authority is.
func issue(a *certify.Authority, hosts []string, now time.Time, life time.Duration) (*tls.Certificate, error) {
	end := now.Add(life)
	if a.Cert.NotAfter.Before(end) {
		end = a.Cert.NotAfter
	}
	return a.Issue(certify.Spec{
		Subject: pkix.Name{CommonName: "webhook"}, NotBefore: now.Add(-backdated), NotAfter: end,
		Hosts: hosts, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

func decodeAuthority(cert, key []byte) (*certify.Authority, error) {
	certs := certify.DecodeCertificates(cert)
	if len(certs) != 1 || !certs[0].IsCA {
		return nil, errors.New("not an authority in PEM")
	}
	private, err := certify.DecodeKey(key)
	if err != nil {
		return nil, err
	}
	if !private.PublicKey.Equal(certs[0].PublicKey) {
		return nil, errors.New("the key is not the authority's")
	}
	return &certify.Authority{Cert: certs[0], Key: private}, nil
}
