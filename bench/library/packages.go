package library

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Packages compares how many packages come with a library: neither Go's own nor the library's. They are told by the go
// command, from the folder of this module.
type Packages struct{}

// Name implements Scenario.
func (Packages) Name() string { return "lib-packages" }

// Loads implements Scenario.
func (Packages) Loads() []Load {
	const ours, peer = "github.com/keelson-project/keelson", "sigs.k8s.io/controller-runtime"
	return []Load{
		{Keelson: packages("lib-packages", ours, ours+"/runtime"), Peer: packages("lib-packages", peer, peer)},
		{Keelson: packages("lib-packages-queue", ours, ours+"/workqueue"), Peer: packages("lib-packages-queue", "none", "k8s.io/client-go/util/workqueue")},
		{Keelson: packages("lib-packages-informer", ours, ours+"/informer"), Peer: packages("lib-packages-informer", "none", "k8s.io/client-go/tools/cache")},
	}
}

// packages counts what importing a package brings, but for those of a module.
func packages(id, module, imported string) func(context.Context) (map[string]float64, error) {
	return func(ctx context.Context) (map[string]float64, error) {
		list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", imported)
		var stderr bytes.Buffer
		list.Stderr = &stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list %s: %w: %s", imported, err, stderr.String())
		}
		n := 0
		for path := range strings.FieldsSeq(string(out)) {
			if path != module && !strings.HasPrefix(path, module+"/") {
				n++
			}
		}
		return map[string]float64{id: float64(n)}, nil
	}
}
