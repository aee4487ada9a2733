package law_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/keelson-project/keelson"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

// graph is the project's packages and everything they need, by import path. Tests are not in it: they may import
// what they like.
type graph map[string]*pkg

func load(t *testing.T) graph {
	t.Helper()
	touch(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...")
	cmd.Dir = "../.."
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := graph{}
	for d := json.NewDecoder(out); ; {
		p := &pkg{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	if len(g) == 0 {
		t.Fatal("go list found no packages")
	}
	return g
}

// touch looks at every source file. The go command sees which files a test looks at, and takes its result from the
// cache as long as those are the same; what `go list` reads, it does not see.
func touch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return nil //nolint:nilerr // a file that has just gone is no concern of the laws
		}
		_, _ = os.Stat(path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ours returns the project's own packages below any of the folders; all of them for none. The root is no package of
// ours: all that is in it is a list of what the module requires.
func (g graph) ours(folders ...string) []*pkg {
	var found []*pkg
	for path, p := range g {
		rel, ok := strings.CutPrefix(path, module+"/")
		if ok && (len(folders) == 0 || below(rel, folders...)) {
			found = append(found, p)
		}
	}
	return found
}

// thirdParty counts the packages that p needs and that are neither Go's nor ours.
func (g graph) thirdParty(p *pkg) int {
	n := 0
	for _, dep := range p.Deps {
		if d := g[dep]; d != nil && !d.Standard && !below(dep, module) {
			n++
		}
	}
	return n
}

// below says whether a path is one of the prefixes or in a folder of that name.
func below(path string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return false
}
