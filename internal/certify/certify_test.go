package certify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keelson-project/keelson/internal/certify"
)

func spec(name string, hosts ...string) certify.Spec {
	now := time.Now()
	return certify.Spec{
		Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), Hosts: hosts,
		Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

func newAuthority(t testing.TB, name string) *certify.Authority {
	t.Helper()
	key, err := certify.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	a, err := certify.NewAuthority(key, certify.Spec{Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func Example() {
	key, err := certify.NewKey()
	if err != nil {
		panic(err)
	}
	authority, err := certify.NewAuthority(key, spec("ca"))
	if err != nil {
		panic(err)
	}
	cert, err := authority.Issue(spec("web", "web.example.com", "127.0.0.1"))
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.Cert)
	for _, host := range []string{"web.example.com", "127.0.0.1", "other.example.com"} {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots})
		fmt.Println(host, err == nil)
	}
	// Output:
	// web.example.com true
	// 127.0.0.1 true
	// other.example.com false
}

// TestCertifiedAgain: what an authority has signed is good under a newer certificate of its key, and under no other's.
func TestCertifiedAgain(t *testing.T) {
	a, other := newAuthority(t, "ca"), newAuthority(t, "ca")
	again, err := certify.NewAuthority(a.Key, spec("ca"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Issue(spec("web"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		by   *certify.Authority
		good bool
	}{{a, true}, {again, true}, {other, false}} {
		roots := x509.NewCertPool()
		roots.AddCert(c.by.Cert)
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots}); (err == nil) != c.good {
			t.Errorf("want good: %v, got %v", c.good, err)
		}
	}
	if cert.Leaf.IsCA || cert.Leaf.SerialNumber.Cmp(a.Cert.SerialNumber) == 0 {
		t.Errorf("leaf: %+v", cert.Leaf)
	}
}

func TestPEM(t *testing.T) {
	a, b := newAuthority(t, "a"), newAuthority(t, "b")
	key, err := certify.EncodeKey(a.Key)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := certify.DecodeKey(key); err != nil || !back.Equal(a.Key) {
		t.Errorf("the key came back as %v, %v", back, err)
	}
	certs := certify.EncodeCertificates(a.Cert, b.Cert)
	mixed := string(certs) + string(key) + strings.Replace(string(certs), "MII", "AAA", 1)
	if back := certify.DecodeCertificates([]byte(mixed)); len(back) != 3 || !back[0].Equal(a.Cert) || !back[1].Equal(b.Cert) || !back[2].Equal(b.Cert) {
		t.Errorf("%d certificates came back", len(back))
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := certify.EncodeKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":       {nil, "not a private key in PEM"},
		"a certificate": {certs, "not a private key in PEM"},
		"an RSA key":    {rsaKey, "want an ECDSA key, found *rsa.PrivateKey"},
	} {
		if _, err := certify.DecodeKey(c.data); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
