// Command documents writes down what kube-apiserver publishes of the corpus' CustomResourceDefinitions: their OpenAPI v3
// documents of some groups, and of /openapi/v2 what is about these groups or about all. The test of apiserver/openapi
// compares with it.
//
//	go -C compat run ./documents KUBECONFIG ../../shared/corpus ../apiserver/openapi/testdata/peer.json.gz
//
// The cluster should be a new one: the definitions stay there.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// groups are small ones that have everything: open and nullable fields, embedded resources, scale, selectable fields,
// several versions, cluster scope, rules.
var groups = []string{
	"apiextensions.crossplane.io", "eventing.keda.sh", "extensions.istio.io", "ipam.cluster.x-k8s.io", "maps.k8s.elastic.co",
	"metallb.io", "resolution.tekton.dev", "snapshot.storage.k8s.io",
}

// builtin are documents of Kubernetes' own kinds; small ones, whose kinds Keelson has all.
var builtin = []string{"apis/apiextensions.k8s.io/v1", "apis/coordination.k8s.io/v1", "apis/events.k8s.io/v1", "apis/storagemigration.k8s.io/v1"}

// answers is what is written.
type answers struct {
	Groups []string                   `json:"groups"`
	V3     map[string]json.RawMessage `json:"v3"` // by "apis/GROUP/VERSION"
	V2     map[string]json.RawMessage `json:"v2"`
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: documents KUBECONFIG CORPUS OUT")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "documents:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, corpus, out string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	if err := create(ctx, client.RESTClient(), corpus); err != nil {
		return err
	}
	a, err := ask(ctx, client.RESTClient())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(a), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}

// create makes the definitions of the groups, and waits until they are published.
func create(ctx context.Context, c rest.Interface, corpus string) error {
	var files []string
	for _, g := range groups {
		found, err := filepath.Glob(filepath.Join(corpus, "*", "crds", "*."+g+".yaml"))
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		err = c.Post().AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").SetHeader("Content-Type", "application/yaml").
			Body(raw).Do(ctx).Error()
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	time.Sleep(20 * time.Second) // nothing says when it has published the last of them
	return nil
}

func ask(ctx context.Context, c rest.Interface) (*answers, error) {
	a := &answers{Groups: groups, V3: map[string]json.RawMessage{}}
	var index struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	if err := get(ctx, c, "/openapi/v3", &index); err != nil {
		return nil, err
	}
	for path := range index.Paths {
		if parts := strings.Split(path, "/"); slices.Contains(builtin, path) || len(parts) == 3 && slices.Contains(groups, parts[1]) {
			var doc json.RawMessage
			if err := get(ctx, c, "/openapi/v3/"+path, &doc); err != nil {
				return nil, err
			}
			a.V3[path] = doc
		}
	}
	if err := get(ctx, c, "/openapi/v2", &a.V2); err != nil {
		return nil, err
	}
	var prefixes, names []string
	for _, g := range groups {
		prefixes = append(prefixes, "/apis/"+g+"/")
		parts := strings.Split(g, ".")
		slices.Reverse(parts)
		names = append(names, strings.Join(parts, ".")+".v")
	}
	names = append(names, "io.k8s.api", "io.k8s.kube-aggregator")
	return a, errors.Join(keep(a.V2, "paths", prefixes), keep(a.V2, "definitions", names))
}

func get(ctx context.Context, c rest.Interface, path string, into any) error {
	raw, err := c.Get().AbsPath(path).SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// keep leaves in a section of a document the members that begin with one of prefixes.
func keep(doc map[string]json.RawMessage, section string, prefixes []string) (err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc[section], &members); err != nil {
		return err
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	})
	doc[section], err = json.Marshal(members)
	return err
}
