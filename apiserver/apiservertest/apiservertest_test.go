package apiservertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

// TestServersShareNothing has servers at once in one process, whose kinds of the same name differ, and which change what
// was made of the schemas that they have in common. For the race detector, too.
func TestServersShareNothing(t *testing.T) {
	const n = 4
	servers := make([]*apiservertest.Server, n)
	for i := range servers {
		servers[i] = apiservertest.Start(t, apiservertest.Options{CRDs: []string{thingsWith(t, i)}, NoListener: true})
	}
	specs := make([]string, n)
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			for round := range 3 {
				name := fmt.Sprintf("d-%d", round)
				do(t, s, http.MethodPost, "/apis/apps/v1/namespaces/default/deployments", deployment(name))
				obj := do(t, s, http.MethodPatch, "/apis/apps/v1/namespaces/default/deployments/"+name+"?fieldManager=test&force=true", fmt.Sprintf(
					`{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": %d, "template": {"spec": {"securityContext": {"runAsUser": %d}}}}}`, i, i))
				if got := at(obj, "spec", "replicas"); got != float64(i) {
					t.Errorf("server %d: replicas %v", i, got)
				}
				unstructured.RemoveNestedField(obj, "spec", "replicas")
				unstructured.RemoveNestedField(obj, "spec", "template", "spec", "securityContext")
				specs[i] += fmt.Sprint(obj["spec"])
			}
			thing := do(t, s, http.MethodPost, "/apis/example.com/v1/namespaces/default/things",
				`{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"f0": "x", "f1": "x", "f2": "x", "f3": "x"}}`)
			if got, want := thing["spec"], fmt.Sprintf("map[f%d:x]", i); fmt.Sprint(got) != want {
				t.Errorf("server %d has kept %v of a thing, want %s", i, got, want)
			}
		})
	}
	wg.Wait()
	for i, s := range servers {
		if specs[i] != specs[0] {
			t.Errorf("servers disagree about defaults:\n%s\n%s", specs[i], specs[0])
		}
		obj := do(t, s, http.MethodPost, "/apis/apps/v1/namespaces/default/deployments", deployment("last"))
		if got := at(obj, "spec", "template", "spec", "securityContext"); fmt.Sprint(got) != "map[]" {
			t.Errorf("server %d gives a new deployment what another one has: %v", i, got)
		}
		items, _ := do(t, s, http.MethodGet, "/apis/apps/v1/deployments", "")["items"].([]any)
		if len(items) != 4 {
			t.Errorf("server %d has %d deployments, want 4", i, len(items))
		}
	}
}

// TestControllersEndFirst stops a server whose controllers have something to say when they end.
func TestControllersEndFirst(t *testing.T) {
	var served []bool
	s := apiservertest.Start(t, apiservertest.Options{NoListener: true, Controllers: []apiservertest.Controller{
		func(ctx context.Context, transport http.RoundTripper) error {
			<-ctx.Done()
			req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://server/readyz", nil)
			if err != nil {
				return err
			}
			res, err := transport.RoundTrip(req)
			if err != nil {
				return err
			}
			served = append(served, res.StatusCode == http.StatusOK)
			return res.Body.Close()
		},
	}})
	s.Stop()
	s.Stop()
	if !slices.Equal(served, []bool{true}) {
		t.Errorf("the controller was served %v", served)
	}
}

// TestListener reaches the server through its socket, with and without the token.
func TestListener(t *testing.T) {
	s := apiservertest.Start(t, apiservertest.Options{})
	for token, want := range map[string]int{"Bearer " + s.Token: http.StatusOK, "Bearer nobody": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/namespaces", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != want {
			t.Errorf("%s: %s", token, res.Status)
		}
	}
}

// TestCRDs starts servers with the CRDs of a file, which holds other things, too.
func TestCRDs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "all.yaml")
	var docs []string
	for _, plural := range []string{"ones", "twos"} {
		docs = append(docs, "# a comment", fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[1]s.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: %[1]s, kind: %[1]s}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`, plural), "{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}")
	}
	if err := os.WriteFile(file, []byte(strings.Join(docs, "\n---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := apiservertest.Start(t, apiservertest.Options{CRDs: []string{file}, NoListener: true})
		for _, plural := range []string{"ones", "twos"} {
			do(t, s, http.MethodGet, "/apis/example.com/v1/"+plural, "")
		}
		if items, _ := do(t, s, http.MethodGet, "/api/v1/configmaps", "")["items"].([]any); len(items) != 0 {
			t.Errorf("there are %d ConfigMaps", len(items))
		}
	}
}

// thingsWith writes a CRD whose objects have one field, f0 or another, and returns its folder.
func thingsWith(t *testing.T, field int) string {
	dir := t.TempDir()
	crd := fmt.Sprintf(`{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
		"spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
			"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
				"properties": {"spec": {"type": "object", "properties": {"f%d": {"type": "string"}}}}}}}]}}`, field)
	if err := os.WriteFile(filepath.Join(dir, "things.yaml"), []byte(crd), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func deployment(name string) string {
	return fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q}, "spec": {
		"selector": {"matchLabels": {"app": "a"}}, "template": {"metadata": {"labels": {"app": "a"}}, "spec": {
			"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80}]}]}}}}`, name)
}

func at(obj map[string]any, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(obj, path...)
	return v
}

// do sends a request (patches are applied configurations) and returns the answer, which is to be a success.
func do(t *testing.T, s *apiservertest.Server, method, path, body string) map[string]any {
	req, err := http.NewRequestWithContext(t.Context(), method, "http://server"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Error(err)
		return nil
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	obj := map[string]any{}
	if err != nil || json.Unmarshal(raw, &obj) != nil || res.StatusCode >= 300 {
		t.Errorf("%s %s: %s %s (%v)", method, path, res.Status, raw, err)
	}
	return obj
}
