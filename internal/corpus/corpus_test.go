package corpus_test

import (
	"testing"

	"github.com/keelson-project/keelson/internal/corpus"
)

func TestSize(t *testing.T) {
	if crds, samples := len(corpus.CRDs(t)), len(corpus.Samples(t)); crds != 154 || samples != 1288 {
		t.Errorf("%d CRDs and %d samples; SOURCES.md says 154 and 1288", crds, samples)
	}
}
