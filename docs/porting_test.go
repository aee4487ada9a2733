// Package docs has only tests, of the pages beside it.
package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The Go on the page compiles: what declares something at the top of a file, the rest in a function. Imports are added as
// they are used.
func TestPortingGuideCompiles(t *testing.T) {
	text, err := os.ReadFile("from-controller-runtime.md")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	for i, block := range strings.Split(string(text), "\n```go\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		name := "snippet" + strconv.Itoa(i) + ".go"
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(program(block)), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(folder, "snippets", strconv.Itoa(i), name)] = file
	}
	if len(overlay) < 10 {
		t.Fatalf("%d pieces of Go were found", len(overlay))
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "./snippets/...").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// imports of the page, by the name that it uses them under.
var imports = map[string]string{
	"appsv1": "k8s.io/api/apps/v1", "corev1": "k8s.io/api/core/v1", "metav1": "k8s.io/apimachinery/pkg/apis/meta/v1",
	"schema": "k8s.io/apimachinery/pkg/runtime/schema", "types": "k8s.io/apimachinery/pkg/types", "watch": "k8s.io/apimachinery/pkg/watch",
	"kruntime": "k8s.io/apimachinery/pkg/runtime", "logr": "github.com/go-logr/logr", "context": "context", "http": "net/http", "time": "time", "testing": "testing",
	"runtime": ours + "runtime", "client": ours + "runtime/client", "kubeconfig": ours + "runtime/kubeconfig",
	"leaderelection": ours + "runtime/leaderelection", "webhook": ours + "runtime/webhook", "apiservertest": ours + "apiserver/apiservertest",
	"controllers": ours + "controllers", "garbagecollector": ours + "controllers/garbagecollector", "namespace": ours + "controllers/namespace",
	"v1": ours + "samples/website/v1",
}

const ours = "github.com/keelson-project/keelson/"

var (
	declares = regexp.MustCompile(`^(func|type|var) `)
	comment  = regexp.MustCompile(`// .*`)
	used     = regexp.MustCompile(`\b([a-z][a-z0-9]*)\.[A-Z]`)
)

// program is a file with the block in it. What the block takes for granted are parameters.
func program(block string) string {
	if !declares.MatchString(block) {
		given := map[string]string{
			"ctx": "context.Context", "cfg": "client.Config", "scheme": "*kruntime.Scheme", "mgr": "*runtime.Manager",
			"c": "client.Client", "r": "runtime.Reconciler", "validator": "webhook.Validator[*v1.Website]",
		}
		var params []string
		for name, kind := range given {
			if !strings.Contains(block, name+", err := ") {
				params = append(params, name+" "+kind)
			}
		}
		block = "func _(" + strings.Join(params, ", ") + ") error {\n" + block + "}\n"
	}
	head := "package snippet\n\n"
	seen := map[string]bool{}
	for _, m := range used.FindAllStringSubmatch(comment.ReplaceAllString(block, ""), -1) {
		if path, ok := imports[m[1]]; ok && !seen[m[1]] {
			seen[m[1]] = true
			head += "import " + m[1] + " " + strconv.Quote(path) + "\n"
		}
	}
	return head + block
}
