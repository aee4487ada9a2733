// Package corpus finds the corpus of public CRDs and objects, with kube-apiserver's answers to them, that lies beside the
// checkout in shared/corpus. Tests use it; its SOURCES.md says what is in there.
package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the corpus' directory. It skips the test where there is none.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		path := filepath.Join(dir, "..", "shared", "corpus")
		if _, err := os.Stat(filepath.Join(path, "expected.tsv")); err == nil {
			return path
		}
		dir = filepath.Dir(dir)
	}
	t.Skip("shared/corpus is not beside this checkout")
	return ""
}

// CRDs returns the files that hold a CustomResourceDefinition each.
func CRDs(t testing.TB) []string { t.Helper(); return files(t, "crds") }

// SomeCRDs returns the same as CRDs, but every eighth only where Racing.
func SomeCRDs(t testing.TB) (some []string) {
	t.Helper()
	for i, file := range CRDs(t) {
		if !Racing || i%8 == 0 {
			some = append(some, file)
		}
	}
	return some
}

// Samples returns the files that hold an object each, not all of them valid.
func Samples(t testing.TB) []string { t.Helper(); return files(t, "samples") }

func files(t testing.TB, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(Dir(t), "*", folder, "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("the corpus has no %s: %v", folder, err)
	}
	return found
}
