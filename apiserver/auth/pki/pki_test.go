package pki_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/auth/pki"
)

func open(t *testing.T, dir string, o pki.Options) *pki.Authority {
	t.Helper()
	a, err := pki.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// serving returns the certificate that a client is shown.
func serving(t *testing.T, a *pki.Authority) *x509.Certificate {
	t.Helper()
	c, err := a.TLSConfig().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	a := open(t, dir, pki.Options{Hosts: []string{"192.0.2.7", "api.example.com"}})
	if _, _, err := a.Admin(); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"ca.crt": 0o600, "ca.key": 0o600, "server.pem": 0o600, "admin.pem": 0o600}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Fatalf("files are %v (%v), want %v", entries, err, want)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != want[e.Name()] {
			t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v", info.Mode())
	}
	cert := serving(t, a)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "10.96.0.1", "kubernetes.default.svc", "192.0.2.7", "api.example.com"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestSecondStartChangesNothing(t *testing.T) {
	dir := t.TempDir()
	read := func() (all []byte) {
		a := open(t, dir, pki.Options{})
		if _, _, err := a.Admin(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ca.crt", "ca.key", "server.pem", "admin.pem"} {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, raw...)
		}
		return all
	}
	if !bytes.Equal(read(), read()) {
		t.Error("the second start changed files")
	}
}

func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	clock := func() time.Time { return now }
	a := open(t, dir, pki.Options{Now: clock})
	first := serving(t, a)

	now = first.NotAfter.Add(-40 * 24 * time.Hour)
	if !serving(t, a).Equal(first) {
		t.Error("renewed 40 days before the end")
	}
	now = first.NotAfter.Add(-20 * 24 * time.Hour)
	second := serving(t, a)
	if second.Equal(first) || !second.NotAfter.After(first.NotAfter) {
		t.Error("not renewed 20 days before the end, while running")
	}

	if c := serving(t, open(t, dir, pki.Options{Now: clock, Hosts: []string{"192.0.2.8"}})); c.VerifyHostname("192.0.2.8") != nil {
		t.Error("the certificate does not cover a new address")
	}

	now = now.AddDate(9, 11, 0) // the authority's own certificate ends
	later := open(t, dir, pki.Options{Now: clock})
	if bytes.Equal(later.CA(), a.CA()) {
		t.Fatal("the authority was not renewed")
	}
	if _, err := second.Verify(x509.VerifyOptions{Roots: later.Pool(), CurrentTime: second.NotAfter.Add(-time.Hour)}); err != nil &&
		!strings.Contains(err.Error(), "not yet valid") {
		t.Errorf("what the key signed before does not verify against the new certificate: %v", err)
	}
	if err := second.CheckSignatureFrom(authority(t, later)); err != nil {
		t.Errorf("the new authority does not have the old key: %v", err)
	}
}

// authority parses an authority's certificate.
func authority(t *testing.T, a *pki.Authority) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(a.CA())
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDamagedFiles(t *testing.T) {
	for _, tc := range []struct{ file, content, want string }{
		{"ca.key", "junk", "ca.key: not a private key in PEM"},
		{"ca.crt", "junk", "ca.crt: not a certificate in PEM"},
		{"ca.key", "", "ca.key is not"}, // removed
		{"server.pem", "junk", ""},      // made again
		{"admin.pem", "junk", ""},
	} {
		dir := t.TempDir()
		if _, _, err := open(t, dir, pki.Options{}).Admin(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, tc.file)
		if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if tc.content == "" {
			_ = os.Remove(path)
		}
		a, err := pki.Open(dir, pki.Options{})
		if err == nil {
			_, _, err = a.Admin()
		}
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s damaged: got %v, want %q", tc.file, err, tc.want)
		}
	}
}

// TestHandshake is the whole way: a TLS listener, kubectl's own kubeconfig reader, and the authenticator.
func TestHandshake(t *testing.T) {
	a := open(t, t.TempDir(), pki.Options{})
	certs := auth.NewClientCertificates(a.Pool(), nil)
	url := serve(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok, err := auth.Union(certs).AuthenticateRequest(r)
		if !ok {
			http.Error(w, fmt.Sprint("nobody ", err), http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, r.Proto, " ", user.Name, " ", user.Groups, len(user.Extra))
	}))
	cert, key, err := a.Admin()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := (&pki.Kubeconfig{Name: "keelson", Server: url, CA: a.CA(), Cert: cert, Key: key}).YAML()
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(raw)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(config.CertData, config.KeyData)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := get(t, config.Host, a.Pool(), pair), "HTTP/2.0 keelson-admin [system:masters system:authenticated] 1"; got != want {
		t.Errorf("with the kubeconfig: %q, want %q", got, want)
	}
	if got, want := get(t, config.Host, a.Pool()), "nobody <nil>\n"; got != want {
		t.Errorf("without a certificate: %q, want %q", got, want)
	}
	other := open(t, t.TempDir(), pki.Options{})
	cert, key, _ = other.Admin()
	if pair, err = tls.X509KeyPair(cert, key); err != nil {
		t.Fatal(err)
	}
	if got := get(t, config.Host, a.Pool(), pair); !strings.Contains(got, `nobody client certificate of "keelson-admin": x509: certificate signed by unknown authority`) {
		t.Errorf("with another authority's certificate: %q", got)
	}
}

func serve(t *testing.T, a *pki.Authority, h http.Handler) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, TLSConfig: a.TLSConfig(), ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error)
	go func() { done <- s.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "https://" + l.Addr().String()
}

func get(t *testing.T, url string, roots *x509.CertPool, certs ...tls.Certificate) string {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(certs) == 0 {
			return &tls.Certificate{}, nil
		}
		return &certs[0], nil // whoever's authority the server asks for
	}}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "pki")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	authority, err := pki.Open(dir, pki.Options{Hosts: []string{"192.0.2.7"}})
	if err != nil {
		log.Fatal(err)
	}
	cert, err := authority.TLSConfig().GetCertificate(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cert.Leaf.Issuer.CommonName, slices.ContainsFunc(cert.Leaf.IPAddresses, net.IPv4(192, 0, 2, 7).Equal))
	// Output: keelson-ca true
}

func BenchmarkFirstStart(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		a, err := pki.Open(filepath.Join(b.TempDir(), fmt.Sprint(i)), pki.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := a.Admin(); err != nil {
			b.Fatal(err)
		}
	}
}
