package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"
)

// Keelson is `keelson up` with etcd inside.
type Keelson struct {
	Binary string
}

// Name implements Target.
func (Keelson) Name() string { return "Keelson" }

// Start implements Target.
func (k Keelson) Start(ctx context.Context, dir string) (*Running, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	data := filepath.Join(dir, "data")
	start := time.Now()
	p, err := startProcess(dir, k.Binary, "up", "--data-dir", data, "--listen", addr, "--storage", "embedded")
	if err != nil {
		return nil, err
	}
	r := &Running{URL: "https://" + addr, processes: []*process{p}}
	// Its certificate does not exist yet, and readiness is asked without credentials.
	if err := waitReady(ctx, p, r.URL+"/readyz", &tls.Config{InsecureSkipVerify: true}); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	r.Ready = time.Since(start)
	if r.TLS, err = readKubeconfig(filepath.Join(data, "kubeconfig")); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// kubeconfig is the part of a kubeconfig file that Keelson writes: one cluster, one user, everything inline.
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			CA []byte `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Cert []byte `json:"client-certificate-data"`
			Key  []byte `json:"client-key-data"`
		} `json:"user"`
	} `json:"users"`
}

func readKubeconfig(path string) (*tls.Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var k kubeconfig
	if err := yaml.Unmarshal(b, &k); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(k.Clusters) != 1 || len(k.Users) != 1 {
		return nil, fmt.Errorf("%s: %d clusters and %d users, want one of each", path, len(k.Clusters), len(k.Users))
	}
	return clientTLS(k.Clusters[0].Cluster.CA, k.Users[0].User.Cert, k.Users[0].User.Key)
}

func clientTLS(ca, cert, key []byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate in the certificate authority's PEM")
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}
