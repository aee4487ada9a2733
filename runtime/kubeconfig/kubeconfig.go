// Package kubeconfig makes a client.Config of a kubeconfig, exec plugins included, or of what a pod is given. It is
// the only package that imports client-go.
package kubeconfig

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/keelson-project/keelson/runtime/client"
)

// Load reads the kubeconfig at path. Where path is "", it takes the first that there is: the files of $KUBECONFIG;
// what a pod is given; Keelson's own, in $XDG_DATA_HOME/keelson or ~/.local/share/keelson; ~/.kube/config.
func Load(path string) (client.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if path == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		if cfg, err := rest.InClusterConfig(); err == nil {
			return of(cfg)
		}
		path = own()
	}
	rules.ExplicitPath = path
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return client.Config{}, fmt.Errorf("kubeconfig: %w", err)
	}
	return of(cfg)
}

// own is the path of Keelson's kubeconfig, "" where there is none.
func own() string {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		data = filepath.Join(home, ".local", "share")
	}
	path := filepath.Join(data, "keelson", "kubeconfig")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func of(cfg *rest.Config) (client.Config, error) {
	transport, err := rest.TransportFor(cfg) // with all credentials
	if err != nil {
		return client.Config{}, fmt.Errorf("kubeconfig: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return client.Config{}, fmt.Errorf("kubeconfig: %w", err)
	}
	return client.Config{Host: base.String(), Transport: transport, Timeout: cfg.Timeout}, nil
}
