package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// CRDFirst measures from sending a CRD to the answer that its first object is stored, which is tried every 2 ms.
type CRDFirst struct{}

// Name implements Scenario.
func (CRDFirst) Name() string { return "crd-first" }

// Run implements Scenario.
func (CRDFirst) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	const tries = 15
	var took []time.Duration
	for i := range tries {
		t := load.Type{Plural: fmt.Sprintf("firsts%d", i)}
		start := time.Now()
		if _, err := env.Client.Do(ctx, load.Request{Method: "POST", Path: crds, Body: t.CRD()}); err != nil {
			return nil, err
		}
		first := load.Request{Method: "POST", Path: t.Collection(), Body: t.Minimal("first")}
		if err := env.Client.Retry(ctx, first, 2*time.Millisecond, time.Minute); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return map[string]float64{"crd-first": millis(took[tries/2])}, nil
}

// CRDCost creates many CRDs as large as those of public projects are on average, an object of the last, and reads
// the OpenAPI v2 document once.
type CRDCost struct{}

// crdBytes is the mean size of the 154 definitions in the corpus of public CRDs, as compact JSON.
const crdBytes = 40_000

// Name implements Scenario.
func (CRDCost) Name() string { return "crd-cost" }

// Run implements Scenario.
func (CRDCost) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	before, err := env.settle(ctx)
	if err != nil {
		return nil, err
	}
	var last load.Type
	for i := range env.Sizes.CRDs {
		last = load.Type{Plural: fmt.Sprintf("larges%d", i)}
		if _, err := env.Client.Do(ctx, load.Request{Method: "POST", Path: crds, Body: last.LargeCRD(crdBytes)}); err != nil {
			return nil, err
		}
	}
	first := load.Request{Method: "POST", Path: last.Collection(), Body: last.Minimal("first")}
	if err := env.Client.Retry(ctx, first, 50*time.Millisecond, 5*time.Minute); err != nil {
		return nil, err
	}
	if _, err := env.Client.Do(ctx, load.Request{Path: "/openapi/v2"}); err != nil {
		return nil, err
	}
	after, err := env.settle(ctx)
	n := float64(env.Sizes.CRDs)
	return map[string]float64{
		"crd-memory": kib(after.RSS-before.RSS) / n,
		"crd-cpu":    millis(after.CPU-before.CPU) / n,
	}, err
}
