package law_test

import (
	"slices"
	"testing"
)

// The two trees meet at the wire. A reconciler must run against any Kubernetes, so the client tree knows nothing of
// our server; the server must not depend on a client library to work.
var (
	clientTree = []string{"workqueue", "informer", "runtime", "controllers", "samples"}
	serverTree = []string{"apiserver", "crd"}
)

func TestLaws(t *testing.T) {
	g := load(t)
	for name, law := range map[string]func(*testing.T, graph){
		"treesMeetAtTheWire":               treesMeetAtTheWire,
		"layers":                           layers,
		"heavyDependenciesHaveOneImporter": heavyDependenciesHaveOneImporter,
		"neverImported":                    neverImported,
		"budgets":                          budgets,
	} {
		t.Run(name, func(t *testing.T) { law(t, g) })
	}
}

func treesMeetAtTheWire(t *testing.T, g graph) {
	for _, p := range g.ours(clientTree...) {
		forbid(t, p, "the client tree speaks to servers over HTTP only", inModule(serverTree...)...)
	}
	for _, p := range g.ours(serverTree...) {
		forbid(t, p, "the server tree needs no client library", inModule(clientTree...)...)
	}
	forTests := inModule("apiserver/apiservertest", "runtime/simtest", "internal/clustertest", "internal/exampletest")
	for _, p := range g.ours() {
		if !below(p.ImportPath, forTests...) {
			forbid(t, p, "what tests use is in no program", forTests...)
		}
	}
	for _, p := range g.ours(append(clientTree, serverTree...)...) {
		forbid(t, p, "libraries know nothing of the program that uses them", inModule("cmd", "compat", "bench")...)
	}
}

// Within a tree, imports go one way; what is lower can be understood, tested and used without what is above.
func layers(t *testing.T, g graph) {
	for _, law := range []struct{ below, above, why string }{
		{"workqueue", "informer", "a queue knows nothing of where keys come from"},
		{"workqueue", "runtime", "a queue knows nothing of who works through it"},
		{"informer", "runtime", "informers can be used without the framework"},
		{"runtime", "controllers", "the framework knows no controller"},
		{"runtime", "samples", "the framework knows no sample"},
		{"apiserver/storage", "apiserver/watchcache", "the store is bytes and revisions"},
		{"apiserver/storage", "apiserver/resource", "the store knows no objects"},
		{"apiserver/watchcache", "apiserver/registry", "the cache knows no rules of objects"},
		{"apiserver/registry", "apiserver/endpoints", "objects live without HTTP"},
		{"apiserver/auth", "apiserver/registry", "who asks does not depend on for what"},
		{"crd/schema", "crd/validation", "the structure of a schema comes before its checks"},
		{"crd/schema", "crd/cel", "the structure of a schema comes before its rules"},
		{"crd/published", "crd/schema", "what is published is copied, not understood"},
		{"crd/validation", "crd/rules", "what objects are checked by knows nothing of definitions"},
		{"crd/cel", "crd/rules", "what objects are checked by knows nothing of definitions"},
	} {
		for _, p := range g.ours(law.below) {
			forbid(t, p, law.why, inModule(law.above)...)
		}
	}
	for _, p := range g.ours("crd") {
		forbid(t, p, "a kind is data for whoever serves it", inModule("apiserver/endpoints", "apiserver/registry")...)
	}
	for _, p := range g.ours("apiserver", "crd") {
		if !below(p.ImportPath, inModule("apiserver/offline", "crd/source", "crd/gotypes", "crd/diff", "crd/lint")...) {
			forbid(t, p, "a server needs no tools for authors", inModule("crd/source", "crd/gotypes", "crd/diff", "crd/lint")...)
		}
	}
}

// A heavy dependency has one importing package (of each, where there are two), so that it can be looked at, replaced
// and kept away from those who do not need it.
func heavyDependenciesHaveOneImporter(t *testing.T, g graph) {
	for _, law := range []struct {
		dependency, why string
		importers       []string // with what is below them
	}{
		{"github.com/santhosh-tekuri/jsonschema/v5", "one place turns schemas into checks", []string{"crd/validation"}},
		{"github.com/google/cel-go", "one place compiles and runs rules", []string{"crd/cel"}},
		{"go.yaml.in/yaml/v3", "one place knows in which line a value stands", []string{"crd/source"}},
		{"k8s.io/client-go/tools/clientcmd", "kubeconfigs and their exec plugins are many packages", []string{"runtime/kubeconfig"}},
		{"k8s.io/kubectl", "the largest dependency of all", []string{"internal/kubectl"}},
		{"k8s.io/component-base", "it registers flags and metrics in globals", []string{"internal/kubectl"}},
		{"go.etcd.io/etcd/client/v3", "there is one client of etcd", []string{"apiserver/storage/etcd"}},
		{"go.etcd.io/etcd/server/v3", "there is one etcd inside", []string{"apiserver/storage/etcd/embedded"}},
		{"github.com/prometheus/client_golang", "a server and a manager each have one set of metrics", []string{"apiserver/metrics", "runtime"}},
		{"go.opentelemetry.io/otel", "who traces nothing builds no tracing", []string{"runtime/tracing"}},
		{"github.com/spf13/cobra", "flags are the program's business", []string{"cmd/keelson", "internal/kubectl"}},
		{"sigs.k8s.io/structured-merge-diff/v6", "field ownership is worked out in one place", []string{"apiserver/patch", "apiserver/managedfields"}},
		{"github.com/evanphx/json-patch/v5", "patches are applied in one place", []string{"apiserver/patch"}},
	} {
		for _, p := range g.ours() {
			if !below(p.ImportPath, inModule(law.importers...)...) {
				forbidDirect(t, p, law.why, law.dependency)
			}
		}
	}
}

// What Keelson is, it does not import. (compat and bench are modules of their own and measure against these.)
func neverImported(t *testing.T, g graph) {
	for _, p := range g.ours() {
		forbidDirect(t, p, "Keelson is what these packages are",
			"k8s.io/apiserver", "k8s.io/kubernetes", "sigs.k8s.io/controller-runtime",
			"k8s.io/apiextensions-apiserver/pkg/apiserver", "k8s.io/apiextensions-apiserver/pkg/registry",
			"k8s.io/apiextensions-apiserver/pkg/controller", "k8s.io/apiextensions-apiserver/pkg/cmd",
			"k8s.io/apiextensions-apiserver/pkg/client", "k8s.io/apiextensions-apiserver/pkg/crdserverscheme",
			"k8s.io/client-go/tools/cache", "k8s.io/client-go/informers", "k8s.io/client-go/util/workqueue", "k8s.io/client-go/kubernetes",
		)
	}
	for _, p := range g.ours(clientTree...) {
		forbid(t, p, "who writes a reconciler does not build a server",
			"k8s.io/apiserver", "go.etcd.io/etcd", "github.com/google/cel-go", "github.com/santhosh-tekuri/jsonschema/v5", "k8s.io/kubectl")
	}
}

// Who imports a library pays for all that it needs: in build time, in binary size, and in upgrades that conflict.
func budgets(t *testing.T, g graph) {
	for folder, budget := range map[string]int{"internal/certify": 0, "internal/packed": 0, "workqueue": 0, "informer": 80, "runtime": 80, "runtime/webhook": 80} {
		p := g[module+"/"+folder]
		if p == nil {
			t.Logf("%s is not there yet", folder)
			continue
		}
		n := g.thirdParty(p)
		t.Logf("%s needs %d packages of others, of %d allowed", folder, n, budget)
		if n > budget {
			t.Errorf("%s needs %d packages of others; %d are allowed", folder, n, budget)
		}
	}
}

func inModule(folders ...string) []string {
	paths := slices.Clone(folders)
	for i, f := range paths {
		paths[i] = module + "/" + f
	}
	return paths
}

// forbid reports each of paths, and what is below them, that p needs in any way.
func forbid(t *testing.T, p *pkg, why string, paths ...string) {
	t.Helper()
	report(t, p, p.Deps, why, paths)
}

// forbidDirect reports those that p imports itself.
func forbidDirect(t *testing.T, p *pkg, why string, paths ...string) {
	t.Helper()
	report(t, p, p.Imports, why, paths)
}

func report(t *testing.T, p *pkg, deps []string, why string, paths []string) {
	t.Helper()
	for _, dep := range deps {
		if below(dep, paths...) {
			t.Errorf("%s needs %s, but %s", p.ImportPath, dep, why)
			return // one example is enough
		}
	}
}
