package certs_test

import (
	"context"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/internal/certify"
	"github.com/keelson-project/keelson/runtime/webhook/certs"
)

// pair is a self-signed certificate and its key.
func pair(t testing.TB, name string) (cert, key []byte) {
	t.Helper()
	private, err := certify.NewKey()
	ok(t, err)
	a, err := certify.NewAuthority(private, certify.Spec{Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)})
	ok(t, err)
	key, err = certify.EncodeKey(private)
	ok(t, err)
	return certify.EncodeCertificates(a.Cert), key
}

// mount writes files as kubelet does: a folder of each version, and a link that is moved at once.
func mount(t testing.TB, dir, version string, cert, key []byte) {
	t.Helper()
	ok(t, os.Mkdir(filepath.Join(dir, version), 0o700))
	ok(t, os.WriteFile(filepath.Join(dir, version, "tls.crt"), cert, 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, version, "tls.key"), key, 0o600))
	ok(t, os.Symlink(version, filepath.Join(dir, "new")))
	ok(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "data")))
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	dir := t.TempDir()
	f := certs.FromFiles(filepath.Join(dir, "data", "tls.crt"), filepath.Join(dir, "data", "tls.key"), logr.Discard())
	if f.Ready() == nil {
		t.Error("ready without files")
	}
	shown := func() string {
		t.Helper()
		cert, err := f.GetCertificate(nil)
		ok(t, err)
		return cert.Leaf.Subject.CommonName
	}
	firstCert, firstKey := pair(t, "first")
	mount(t, dir, "1", firstCert, firstKey)
	ok(t, f.Ready())
	before, _ := f.GetCertificate(nil)
	if again, _ := f.GetCertificate(nil); shown() != "first" || again != before {
		t.Error("not the first, or read again without need")
	}
	cert, key := pair(t, "second, with a longer name")
	mount(t, dir, "2", cert, firstKey) // whose key is another's
	if shown() != "first" {
		t.Error("what cannot be shown is shown")
	}
	mount(t, dir, "3", cert, append(key, '\n'))
	if got := shown(); got != "second, with a longer name" {
		t.Errorf("shows %q", got)
	}
	ok(t, os.RemoveAll(filepath.Join(dir, "3")))
	if shown() == "first" {
		t.Error("went back")
	}
	ok(t, f.Ready())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ok(t, f.Run(ctx))
}
