package kubeconfig_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/keelson-project/keelson/runtime/kubeconfig"
)

func ExampleLoad() {
	dir, _ := os.MkdirTemp("", "kubeconfig")
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "config")
	_ = os.WriteFile(path, []byte(`
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:6443"}}]
users: [{name: me, user: {token: secret}}]
`), 0o600)
	cfg, err := kubeconfig.Load(path)
	fmt.Println(cfg.Host, err)
	// Output: https://127.0.0.1:6443 <nil>
}

func ExampleOptions_Load() {
	dir, _ := os.MkdirTemp("", "kubeconfig")
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "config")
	_ = os.WriteFile(path, []byte(`
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here}}, {name: there, context: {cluster: there, namespace: blue}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:6443"}}, {name: there, cluster: {server: "https://10.0.0.1:6443"}}]
`), 0o600)
	loaded, err := kubeconfig.Options{Path: path, Context: "there"}.Load()
	fmt.Println(loaded.Host, loaded.Namespace, err)
	// Output: https://10.0.0.1:6443 blue <nil>
}
