package kubeconfig_test

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/kubeconfig"
)

// TestUsers connects as each of the users of a kubeconfig: by a token, by one in a file, and by a plugin that prints one.
func TestUsers(t *testing.T) {
	srv, dir := apiservertest.Start(t, apiservertest.Options{}), t.TempDir()
	tls := httptest.NewTLSServer(srv.Handler) // clientcmd sends no credentials over plain HTTP
	defer tls.Close()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw}))
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
		return path
	}
	plugin := write("plugin", fmt.Sprintf(`#!/bin/sh
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'
`, srv.Token))
	path := write("config", fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: token
contexts:
- {name: token, context: {cluster: here, user: token, namespace: blue}}
- {name: file, context: {cluster: here, user: file}}
- {name: plugin, context: {cluster: here, user: plugin}}
- {name: wrong, context: {cluster: here, user: wrong}}
clusters: [{name: here, cluster: {server: "%s", certificate-authority-data: %s}}]
users:
- {name: token, user: {token: %s}}
- {name: file, user: {tokenFile: %s}}
- {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: %s, interactiveMode: Never}}}
- {name: wrong, user: {token: wrong}}
`, tls.URL, ca, srv.Token, write("token", srv.Token), plugin))

	for context, want := range map[string]struct{ namespace, err string }{
		"": {namespace: "blue"}, "file": {namespace: "default"}, "plugin": {namespace: "default"}, "wrong": {namespace: "default", err: "does not know these credentials"},
	} {
		loaded, err := kubeconfig.Options{Path: path, Context: context}.Load()
		if err != nil || loaded.Namespace != want.namespace || (loaded.Transport != nil) != (context == "plugin") {
			t.Errorf("%s: %+v, %v", context, loaded, err)
			continue
		}
		c, err := client.New(loaded.Config, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
		err = c.Get(t.Context(), client.ObjectKey{Name: "default"}, ns)
		if want.err == "" && err != nil || want.err != "" && (err == nil || !strings.Contains(err.Error(), want.err)) {
			t.Errorf("%s: error %v, want %q", context, err, want.err)
		}
	}
	if _, err := (kubeconfig.Options{Path: path, Context: "none"}).Load(); err == nil || !strings.Contains(err.Error(), `"none" does not exist`) {
		t.Errorf("a context that is not there: %v", err)
	}
	if _, err := kubeconfig.Load(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a file that is not there")
	}
}
