package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// ManyCRDs fills a server with CRDs as large as those of public projects are on average, twenty to a group, and looks
// whether the last ones cost what the first ones did, what they all weigh while nobody uses them, and how long clients
// wait for the lists of what there is.
type ManyCRDs struct{}

// peerCRDs is how many a kube-apiserver is asked to hold: the number that Kubernetes suggests not to exceed.
const peerCRDs = 500

// Name implements Scenario.
func (ManyCRDs) Name() string { return "crd-many" }

// Run implements Scenario.
func (ManyCRDs) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	n := env.Sizes.ManyCRDs
	if !env.Ours {
		n = min(n, peerCRDs)
	}
	before, err := env.settle(ctx)
	if err != nil {
		return nil, err
	}
	took := make([]time.Duration, n)
	for i := range n {
		t := load.Type{Plural: fmt.Sprintf("larges%d", i), Group: fmt.Sprintf("group%d.example.com", i/20)}
		start := time.Now()
		if _, err := env.Client.Do(ctx, load.Request{Method: "POST", Path: crds, Body: t.LargeCRD(crdBytes)}); err != nil {
			return nil, fmt.Errorf("CRD %d: %w", i, err)
		}
		took[i] = time.Since(start)
	}
	after, err := env.settle(ctx)
	if err != nil {
		return nil, err
	}
	few := max(1, min(100, n/10))
	first, last := middle(took[:few]), middle(took[n-few:])
	values := map[string]float64{
		"crds": float64(n), "many-first": millis(first), "many-last": millis(last), "many-slower": float64(last) / float64(first),
		"many-anon": kib(after.Anon-before.Anon) / float64(n), "many-rss": float64(after.RSS) / (1 << 20),
		"many-cpu": millis(after.CPU-before.CPU) / float64(n),
	}
	for id, r := range map[string]load.Request{
		"many-discovery": {Path: "/apis", Accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"},
		"many-openapi":   {Path: "/openapi/v3"},
	} {
		start := time.Now()
		if _, err := env.Client.Do(ctx, r); err != nil {
			return nil, err
		}
		values[id+"-first"] = millis(time.Since(start))
		var again []time.Duration
		for range 5 {
			start := time.Now()
			if _, err := env.Client.Do(ctx, r); err != nil {
				return nil, err
			}
			again = append(again, time.Since(start))
		}
		values[id] = millis(middle(again))
	}
	return values, nil
}

func middle(d []time.Duration) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2]
}
