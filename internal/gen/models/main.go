// Command models writes the schemas of Kubernetes' built-in kinds as data: one gzipped JSON file for each Go
// package of k8s.io/api and k8s.io/apimachinery, read by package apiserver/builtin/models.
//
//	go run ./internal/gen/models -out apiserver/builtin/models/data          write the files
//	go run ./internal/gen/models -out apiserver/builtin/models/data -verify  fail if they are not up to date
//
// It works in three steps: kube-openapi's generator turns Go types and their comments into Go code in a scratch
// folder inside this module (so that the module's pins hold); a small program next to that code, made from
// dump.go.tmpl, prints every model as JSON; and the result is split by package. The scratch folder is removed.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"k8s.io/gengo/v2"
	"k8s.io/gengo/v2/generator"
	"k8s.io/kube-openapi/cmd/openapi-gen/args"
	"k8s.io/kube-openapi/pkg/generators"
)

//go:embed dump.go.tmpl
var dumpTemplate string

func main() {
	out := flag.String("out", "", "the folder of the data files")
	verify := flag.Bool("verify", false, "compare instead of writing")
	flag.Parse()
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out, *verify); err != nil {
		stop()
		log.Fatal("models: ", err)
	}
}

func run(ctx context.Context, out string, verify bool) error {
	if out == "" {
		return errors.New("-out is required")
	}
	files, err := generate(ctx)
	if err != nil {
		return err
	}
	if verify {
		return compare(out, files)
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the data files by name.
func generate(ctx context.Context) (map[string][]byte, error) {
	root, module, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(filepath.Join(root, "internal/gen"), "scratch")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	importPath := module + "/internal/gen/" + filepath.Base(scratch)

	if err := generateOpenAPI(filepath.Join(scratch, "openapi"), importPath+"/openapi"); err != nil {
		return nil, err
	}
	if err := writeDump(scratch, importPath+"/openapi"); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "run", importPath)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run the generated program: %w", err)
	}
	return split(printed)
}

func moduleRoot(ctx context.Context) (dir, path string, err error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}} {{.Path}}").Output()
	if err != nil {
		return "", "", fmt.Errorf("go list -m: %w", err)
	}
	dir, path, _ = strings.Cut(strings.TrimSpace(string(out)), " ")
	return dir, path, nil
}

// generateOpenAPI runs kube-openapi's generator over the packages.
func generateOpenAPI(dir, pkg string) error {
	a := args.New()
	a.OutputDir, a.OutputPkg, a.OutputFile = dir, pkg, "openapi.go"
	a.ReportFilename = filepath.Join(dir, "violations.report")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	targets := func(c *generator.Context) []generator.Target { return generators.GetOpenAPITargets(c, a, nil) }
	all := append(append([]string{}, sharedPackages...), apiPackages...)
	return gengo.Execute(generators.NameSystems(), generators.DefaultNameSystem(), targets, gengo.StdBuildTag, all)
}

func writeDump(dir, openapiPkg string) error {
	t, err := template.New("dump").Parse(dumpTemplate)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"OpenAPI": openapiPkg, "Packages": apiPackages}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "main.go"), b.Bytes(), 0o644)
}

// split groups the printed models by the package part of their names, and compresses each group.
func split(printed []byte) (map[string][]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(printed, &all); err != nil {
		return nil, err
	}
	groups := map[string]map[string]json.RawMessage{}
	for name, model := range all {
		pkg := name[:strings.LastIndexByte(name, '.')]
		if groups[pkg] == nil {
			groups[pkg] = map[string]json.RawMessage{}
		}
		groups[pkg][name] = model
	}
	files := map[string][]byte{}
	for pkg, models := range groups {
		data, err := json.Marshal(models) // sorted by name
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		files[pkg+".json.gz"] = b.Bytes()
	}
	return files, nil
}

// compare checks by content, not by compressed bytes: another Go release may compress differently.
func compare(dir string, files map[string][]byte) error {
	var stale []string
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(inflate(got), inflate(want)) {
			stale = append(stale, name)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if files[e.Name()] == nil {
			stale = append(stale, e.Name())
		}
	}
	if len(stale) > 0 {
		sort.Strings(stale)
		return fmt.Errorf("not up to date, run go generate ./apiserver/builtin/models: %s", strings.Join(stale, ", "))
	}
	return nil
}

func inflate(data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return out
}
