package etcd_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd"
	"github.com/keelson-project/keelson/internal/certify"
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
	ca        *certify.Authority
}

func newAuthority(t *testing.T) *authority {
	key, err := certify.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := certify.NewAuthority(key, spec("the CA"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &authority{dir, write(t, filepath.Join(dir, "ca.crt"), certify.EncodeCertificates(ca.Cert)), ca}
}

// issue returns the files of a certificate for 127.0.0.1, for servers and clients, and of its key.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	cert, err := a.ca.Issue(spec(name))
	if err != nil {
		t.Fatal(err)
	}
	key, err := certify.EncodeKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(a.dir, name+".crt"), certify.EncodeCertificates(cert.Leaf)), write(t, filepath.Join(a.dir, name+".key"), key)
}

func spec(name string) certify.Spec {
	return certify.Spec{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		Hosts: []string{"127.0.0.1"}, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func write(t *testing.T, file string, data []byte) string {
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
