package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/internal/certify"
)

// leafKind says what a certificate that the authority issues is for.
type leafKind struct {
	file    string
	subject pkix.Name
	usage   x509.ExtKeyUsage
	hosts   []string
}

func serverLeaf(hosts []string) leafKind {
	return leafKind{file: "server.pem", subject: pkix.Name{CommonName: "kube-apiserver"}, usage: x509.ExtKeyUsageServerAuth, hosts: hosts}
}

func adminLeaf() leafKind {
	return leafKind{
		file: "admin.pem", usage: x509.ExtKeyUsageClientAuth,
		subject: pkix.Name{CommonName: "keelson-admin", Organization: []string{auth.Masters}},
	}
}

// leaf reads a certificate with its key, or issues a new one where the file is missing, damaged, made by another
// authority, about to expire or for other hosts.
func (a *Authority) leaf(k leafKind) (*tls.Certificate, []byte, error) {
	path := filepath.Join(a.dir, k.file)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err == nil {
		if cert, err := tls.X509KeyPair(raw, raw); err == nil && a.fits(cert.Leaf, &k) {
			return &cert, raw, nil
		}
	}
	if raw, err = a.issue(k); err != nil {
		return nil, nil, err
	}
	cert, err := tls.X509KeyPair(raw, raw)
	if err != nil {
		return nil, nil, err
	}
	return &cert, raw, WriteFile(path, raw)
}

func (a *Authority) fits(c *x509.Certificate, k *leafKind) bool {
	if a.expires(c) || c.CheckSignatureFrom(a.ca.Cert) != nil || !slices.Contains(c.ExtKeyUsage, k.usage) {
		return false
	}
	if c.Subject.CommonName != k.subject.CommonName || !slices.Equal(c.Subject.Organization, k.subject.Organization) {
		return false
	}
	for _, host := range k.hosts {
		if ip := net.ParseIP(host); ip != nil {
			if !slices.ContainsFunc(c.IPAddresses, ip.Equal) {
				return false
			}
		} else if !slices.Contains(c.DNSNames, host) {
			return false
		}
	}
	return true
}

// issue returns a new certificate followed by its key, in PEM.
func (a *Authority) issue(k leafKind) ([]byte, error) {
	cert, err := a.ca.Issue(certify.Spec{
		Subject: k.subject, NotBefore: a.now().Add(-backdated), NotAfter: a.now().Add(leafLife),
		Hosts: k.hosts, Usage: []x509.ExtKeyUsage{k.usage},
	})
	if err != nil {
		return nil, err
	}
	key, err := certify.EncodeKey(cert.PrivateKey)
	return append(certify.EncodeCertificates(cert.Leaf), key...), err
}

// splitPEM parts what issue returned.
func splitPEM(raw []byte) (cert, key []byte) {
	n := bytes.Index(raw, []byte("-----BEGIN PRIVATE KEY-----"))
	return raw[:n], raw[n:]
}
