package client

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// serviceAccount is where a pod finds its token, and whom to trust.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// ErrNotInCluster says that this process is no pod's.
var ErrNotInCluster = errors.New("client: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod")

// InCluster is the Config that a pod is given: its service account's, whose token is read again as it rotates. Errors:
// ErrNotInCluster; there is no token, as for pods that want none.
func InCluster() (Config, error) { return inCluster(serviceAccount) }

func inCluster(dir string) (Config, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return Config{}, ErrNotInCluster
	}
	cfg := Config{Host: "https://" + net.JoinHostPort(host, port), BearerTokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt")}
	if _, err := os.Stat(cfg.BearerTokenFile); err != nil {
		return Config{}, fmt.Errorf("client: the pod has no token: %w", err)
	}
	if _, err := os.Stat(cfg.CAFile); err != nil {
		cfg.CAFile = "" // the system's authorities may do
	}
	return cfg, nil
}

// InClusterNamespace is the namespace of the pod that this process runs in, "" where it is none's.
func InClusterNamespace() string {
	data, err := os.ReadFile(filepath.Join(serviceAccount, "namespace"))
	if err != nil {
		return ""
	}
	return string(data)
}
