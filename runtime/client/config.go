package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// Config says where a server is and who asks. It is plain data; runtime/kubeconfig makes one of a kubeconfig.
type Config struct {
	// Host is the server's URL, with a path where the API has a prefix, or HOST:PORT (https).
	Host string
	// CAData or CAFile is the PEM of the authorities that sign the server's certificate. Default: the system's.
	CAData []byte
	CAFile string
	// CertData and KeyData, or CertFile and KeyFile, are the client's certificate in PEM. Files are read again
	// for each new connection.
	CertData, KeyData []byte
	CertFile, KeyFile string
	// ServerName in the server's certificate, where it is not the host.
	ServerName string
	// Insecure does not verify the server's certificate.
	Insecure bool
	// BearerToken, or BearerTokenFile, which is read again every minute, and when the server refuses the token.
	BearerToken     string
	BearerTokenFile string
	// Transport takes the place of the connection and of all credentials above but the bearer token.
	Transport http.RoundTripper
	// Wrap, where it is set, makes what requests go through of the Transport.
	Wrap func(http.RoundTripper) http.RoundTripper
	// UserAgent header. Default: "keelson".
	UserAgent string
	// Timeout of a request that is no watch, waits for Retry-After not included. Default: none but the context's.
	Timeout time.Duration
}

// Options of a Direct.
type Options struct {
	// Scheme knows the typed objects. Required where there are some.
	Scheme *kruntime.Scheme
	// FieldOwner of writes that name none. Default: none, which Apply refuses.
	FieldOwner string
	// OnWarning is told what a server says beside its answers: versions that will go, fields that it does not know. The
	// same text comes as often as the server sends it. Default: nobody is.
	OnWarning func(ctx context.Context, text string)
}

func (c Config) base() (*url.URL, error) {
	if c.Host == "" {
		return nil, errors.New("client: Config.Host is empty")
	}
	host := c.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("client: Config.Host: %w", err)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

func (c Config) transport() (http.RoundTripper, error) {
	next := c.Transport
	if next == nil {
		t, err := c.tlsConfig()
		if err != nil {
			return nil, err
		}
		next = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     t,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 25,
			IdleConnTimeout:     90 * time.Second,
			ForceAttemptHTTP2:   true,
			// A connection whose other end vanished is found by pings, not by the kernel's quarter of an hour.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		}
	}
	if c.Wrap != nil {
		next = c.Wrap(next)
	}
	return next, nil
}

func (c Config) tlsConfig() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.Insecure} //nolint:gosec // asked for
	ca := c.CAData
	if len(ca) == 0 && c.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(c.CAFile); err != nil {
			return nil, fmt.Errorf("client: Config.CAFile: %w", err)
		}
	}
	if len(ca) > 0 {
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("client: the authorities hold no certificate in PEM")
		}
	}
	switch {
	case len(c.CertData) > 0:
		cert, err := tls.X509KeyPair(c.CertData, c.KeyData)
		if err != nil {
			return nil, fmt.Errorf("client: Config.CertData: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	case c.CertFile != "":
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
			return &cert, err
		}
	}
	return t, nil
}
