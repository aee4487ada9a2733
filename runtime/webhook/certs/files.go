package certs

import (
	"context"
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// Files are a certificate and its key in PEM files, such as those of a mounted Secret. They are looked at for each
// connection and read again when they have changed; where that fails, what was read before goes on being shown.
type Files struct {
	cert, key string
	log       logr.Logger

	mu     sync.Mutex
	read   [2]stamp
	loaded *tls.Certificate
	err    error // of the last attempt
}

// stamp tells one version of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

// FromFiles makes Files. They need not be there yet.
func FromFiles(cert, key string, log logr.Logger) *Files {
	return &Files{cert: cert, key: key, log: log}
}

// Run implements webhook.Certificates; there is nothing to do until ctx ends.
func (f *Files) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ready implements webhook.Certificates.
func (f *Files) Ready() error {
	_, err := f.GetCertificate(nil)
	return err
}

// GetCertificate implements webhook.Certificates.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// What is written after this is seen by the next connection.
	var now [2]stamp
	for i, path := range []string{f.cert, f.key} {
		if info, err := os.Stat(path); err == nil {
			now[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	if now != f.read || f.loaded == nil {
		cert, err := tls.LoadX509KeyPair(f.cert, f.key)
		f.read = now
		switch {
		case err == nil:
			f.log.Info("read a certificate", "file", f.cert, "until", cert.Leaf.NotAfter)
			f.loaded, f.err = &cert, nil
		case f.err == nil || f.err.Error() != err.Error():
			f.log.Info("a certificate cannot be read", "file", f.cert, "reason", err.Error())
			f.err = err
		}
	}
	if f.loaded == nil {
		return nil, f.err
	}
	return f.loaded, nil
}
