package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/keelson-project/keelson/apiserver/auth"
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
	if a.expires(c) || c.CheckSignatureFrom(a.cert) != nil || !slices.Contains(c.ExtKeyUsage, k.usage) {
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
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: k.subject,
		NotBefore: a.now().Add(-backdated), NotAfter: a.now().Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{k.usage}, BasicConstraintsValid: true,
	}
	for _, host := range k.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	return append(encodeCertificate(der), keyPEM...), err
}

// selfSigned returns the authority's certificate. Its key identifier follows from the key.
func selfSigned(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "keelson-ca"},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(authorityLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	return x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// serial returns a random positive number of 120 bits.
func serial() *big.Int {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] |= 0x40
	return new(big.Int).SetBytes(b[:])
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseCertificate(raw []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey(raw []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("not a private key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("want an ECDSA key, found %T", key)
	}
	return ec, nil
}

// splitPEM parts what issue returned.
func splitPEM(raw []byte) (cert, key []byte) {
	n := bytes.Index(raw, []byte("-----BEGIN PRIVATE KEY-----"))
	return raw[:n], raw[n:]
}
