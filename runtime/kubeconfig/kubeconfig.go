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

// Options say which kubeconfig, and what of it.
type Options struct {
	// Path of the kubeconfig. Where it is "", the first is taken that there is: the files of $KUBECONFIG; what a pod is
	// given, unless Context is set; Keelson's own, in $XDG_DATA_HOME/keelson or ~/.local/share/keelson; ~/.kube/config.
	Path string
	// Context in place of the current one.
	Context string
}

// Loaded is what a kubeconfig says.
type Loaded struct {
	client.Config
	// Namespace of the context, or of the pod; "default" where none is named.
	Namespace string
}

// Load reads the kubeconfig at path; see Options.
func Load(path string) (client.Config, error) {
	loaded, err := Options{Path: path}.Load()
	return loaded.Config, err
}

// Load reads the kubeconfig. Errors: there is none, or it is wrong; the context is not in it.
func (o Options) Load() (Loaded, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	path := o.Path
	if path == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		if cfg, err := client.InCluster(); err == nil && o.Context == "" {
			namespace := client.InClusterNamespace()
			if namespace == "" {
				namespace = "default"
			}
			return Loaded{cfg, namespace}, nil
		}
		path = own()
	}
	rules.ExplicitPath = path
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context})
	cfg, err := config.ClientConfig()
	if err != nil {
		return Loaded{}, fmt.Errorf("kubeconfig: %w", err)
	}
	namespace, _, err := config.Namespace()
	if err != nil {
		return Loaded{}, fmt.Errorf("kubeconfig: %w", err)
	}
	out, err := of(cfg)
	return Loaded{out, namespace}, err
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

// of translates a configuration of client-go's. What a Config can say it says, so that the connection is ours; exec
// plugins, proxies and impersonation take client-go's transport, which has all credentials.
func of(cfg *rest.Config) (client.Config, error) {
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return client.Config{}, fmt.Errorf("kubeconfig: %w", err)
	}
	out := client.Config{Host: base.String(), Timeout: cfg.Timeout}
	if plain(cfg) {
		out.CAData, out.CAFile, out.ServerName, out.Insecure = cfg.CAData, cfg.CAFile, cfg.ServerName, cfg.Insecure
		out.CertData, out.KeyData, out.CertFile, out.KeyFile = cfg.CertData, cfg.KeyData, cfg.CertFile, cfg.KeyFile
		out.BearerToken, out.BearerTokenFile = cfg.BearerToken, cfg.BearerTokenFile
		return out, nil
	}
	if out.Transport, err = rest.TransportFor(cfg); err != nil {
		return client.Config{}, fmt.Errorf("kubeconfig: %w", err)
	}
	return out, nil
}

// plain says whether cfg has nothing but what a client.Config has. Certificates of which one half is a file and the
// other is not are client-go's business.
func plain(cfg *rest.Config) bool {
	return cfg.ExecProvider == nil && cfg.AuthProvider == nil && cfg.Username == "" && cfg.Password == "" && cfg.Proxy == nil &&
		cfg.Impersonate.UserName == "" && cfg.Impersonate.UID == "" && len(cfg.Impersonate.Groups) == 0 && len(cfg.Impersonate.Extra) == 0 &&
		cfg.Transport == nil && cfg.WrapTransport == nil && cfg.Dial == nil && !cfg.DisableCompression &&
		(len(cfg.CertData) > 0) == (len(cfg.KeyData) > 0) && (cfg.CertFile != "") == (cfg.KeyFile != "")
}
