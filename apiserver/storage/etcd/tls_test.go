package etcd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd"
)

// TestTLS: with the right files on both sides a store works, and without any of them it is not opened.
func TestTLS(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	serverCert, serverKey := ca.issue(t, "etcd")
	clientCert, clientKey := ca.issue(t, "keelson")
	strangeCert, strangeKey := stranger.issue(t, "keelson")
	endpoints := startEtcd(t, func(c *embed.Config) {
		c.ListenClientUrls = []url.URL{{Scheme: "https", Host: "127.0.0.1:0"}}
		c.ClientTLSInfo = transport.TLSInfo{CertFile: serverCert, KeyFile: serverKey, TrustedCAFile: ca.file, ClientCertAuth: true}
	})

	s := dial(t, etcd.Config{Endpoints: endpoints, CAFile: ca.file, CertFile: clientCert, KeyFile: clientKey})
	watch := s.Watch(t.Context(), "/", storage.WatchOptions{})
	rev, err := s.Put(t.Context(), "/a", []byte("1"), 0, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r := <-watch; r.Err != nil || len(r.Events) != 1 || r.Events[0].KV.ModRevision != rev {
		t.Errorf("watching: got %+v", r)
	}

	for name, c := range map[string]etcd.Config{
		"no files":                      {},
		"no client certificate":         {CAFile: ca.file},
		"another CA":                    {CAFile: stranger.file, CertFile: clientCert, KeyFile: clientKey},
		"another CA's client":           {CAFile: ca.file, CertFile: strangeCert, KeyFile: strangeKey},
		"a key without its certificate": {CAFile: ca.file, KeyFile: clientKey},
		"a CA that is a key":            {CAFile: clientKey},
		"a CA that is not there":        {CAFile: clientKey + "x"},
		"a key of another certificate":  {CAFile: ca.file, CertFile: clientCert, KeyFile: serverKey},
	} {
		c.Endpoints, c.DialTimeout = endpoints, 300*time.Millisecond
		if s, err := etcd.Dial(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Close()
		}
	}
}

// authority signs certificates.
type authority struct {
	dir, file string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{dir: t.TempDir(), cert: template("the CA")}
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.key = newKey(t)
	a.file = a.sign(t, a.cert, a.key)
	return a
}

// issue returns the files of a certificate for 127.0.0.1, for servers and clients, and of its key.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	key, cert := newKey(t), template(name)
	cert.KeyUsage = x509.KeyUsageDigitalSignature
	cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	cert.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return a.sign(t, cert, key), writePEM(t, filepath.Join(a.dir, name+".key"), "PRIVATE KEY", der)
}

func (a *authority) sign(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey) string {
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, filepath.Join(a.dir, cert.Subject.CommonName+".crt"), "CERTIFICATE", der)
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) string {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
