package scenario

import (
	"context"
	"slices"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// List reads all objects without a resourceVersion (so, consistently), one reader at a time: as JSON, those with a
// label that one in ten has, and as a table.
type List struct{}

// Name implements Scenario.
func (List) Name() string { return "list" }

// Run implements Scenario.
func (List) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	if _, err := env.fill(ctx); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for id, r := range map[string]load.Request{
		"list":  {Path: objects.Collection()},
		"label": {Path: objects.Collection() + "?labelSelector=tenth%3Dyes"},
		"table": {Path: objects.Collection(), Accept: load.Table},
	} {
		size, err := list(ctx, env, id, r, values)
		if err != nil {
			return nil, err
		}
		if id == "list" {
			values["list-bytes"] = float64(size) / 1e6
		}
	}
	return values, nil
}

// list sends r often enough for the CPU's clock, whose tick is 10 ms, after one time that warms up.
func list(ctx context.Context, env *Env, id string, r load.Request, values map[string]float64) (int64, error) {
	size, err := env.Client.Do(ctx, r)
	if err != nil {
		return 0, err
	}
	const times = 20
	var took []time.Duration
	used, err := env.cpu(func() error {
		for range times {
			start := time.Now()
			if _, err := env.Client.Do(ctx, r); err != nil {
				return err
			}
			took = append(took, time.Since(start))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(took)
	values[id] = millis(took[times/2])
	values[id+"-cpu"] = millis(used) / times
	return size, nil
}
