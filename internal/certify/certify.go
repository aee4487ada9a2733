// Package certify makes X.509 certificates with ECDSA keys, and turns both into PEM and back. What they are for, how long
// they last and where they are kept is the business of those who use it.
package certify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority signs certificates.
type Authority struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// Spec of a certificate.
type Spec struct {
	Subject             pkix.Name
	NotBefore, NotAfter time.Time
	Hosts               []string // names and IP addresses
	Usage               []x509.ExtKeyUsage
}

// NewKey returns a key on the curve P-256.
func NewKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// NewAuthority certifies key as an authority's. The key identifier follows from the key: what an earlier certificate of
// the same key and subject has signed stays valid.
func NewAuthority(key *ecdsa.PrivateKey, s Spec) (*Authority, error) {
	template := s.template()
	template.KeyUsage |= x509.KeyUsageCertSign
	template.IsCA = true
	cert, err := sign(template, template, key, key)
	return &Authority{cert, key}, err
}

// Issue makes a certificate with a key of its own; Leaf is set.
func (a *Authority) Issue(s Spec) (*tls.Certificate, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	leaf, err := sign(s.template(), a.Cert, key, a.Key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (s *Spec) template() *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: s.Subject, NotBefore: s.NotBefore, NotAfter: s.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: s.Usage, BasicConstraintsValid: true,
	}
	for _, host := range s.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// serial is a random positive number of 120 bits.
func serial() *big.Int {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] |= 0x40
	return new(big.Int).SetBytes(b[:])
}

// EncodeCertificates returns PEM.
func EncodeCertificates(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // no writing to memory fails
	}
	return b.Bytes()
}

// DecodeCertificates returns those certificates in PEM that can be read.
func DecodeCertificates(data []byte) []*x509.Certificate {
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return out
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			out = append(out, cert)
		}
	}
}

// EncodeKey returns PKCS #8 in PEM.
func EncodeKey(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// DecodeKey reads what EncodeKey has written.
func DecodeKey(data []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
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
