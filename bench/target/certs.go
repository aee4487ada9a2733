package target

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"github.com/keelson-project/keelson/internal/certify"
)

// authority signs the certificates of one run. Its files are ca.crt and NAME.crt, NAME.key and NAME.pub beside it.
type authority struct {
	dir string
	ca  *certify.Authority
}

func newAuthority(dir string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := certify.NewKey()
	if err != nil {
		return nil, err
	}
	ca, err := certify.NewAuthority(key, spec(pkix.Name{CommonName: "bench"}))
	if err != nil {
		return nil, err
	}
	a := &authority{dir, ca}
	return a, a.write("ca", ca.Cert, key)
}

// sign writes NAME.crt, NAME.key and NAME.pub: for serving on loopback and for being a client as subject.
func (a *authority) sign(name string, subject pkix.Name) error {
	s := spec(subject)
	s.Usage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	s.Hosts = []string{"127.0.0.1", "10.96.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	cert, err := a.ca.Issue(s)
	if err != nil {
		return err
	}
	return a.write(name, cert.Leaf, cert.PrivateKey)
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

func (a *authority) write(name string, cert *x509.Certificate, key any) error {
	private, err := certify.EncodeKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		return err
	}
	for file, data := range map[string][]byte{
		".crt": certify.EncodeCertificates(cert), ".key": private,
		".pub": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	} {
		if err := os.WriteFile(a.path(name+file), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func spec(subject pkix.Name) certify.Spec {
	return certify.Spec{Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
}
