package scenario

import (
	"context"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// Get reads single objects, consistently, all workers at once.
type Get struct{}

// Name implements Scenario.
func (Get) Name() string { return "get" }

// Run implements Scenario.
func (Get) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	if _, err := env.fill(ctx); err != nil {
		return nil, err
	}
	const total = 10_000
	var took time.Duration
	used, err := env.cpu(func() (err error) {
		took, err = load.Parallel(ctx, env.Sizes.Workers, total, func(ctx context.Context, i int) error {
			_, err := env.Client.Do(ctx, load.Request{Path: objects.Collection() + "/" + name(i%env.Sizes.Objects)})
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]float64{"get-rate": total / took.Seconds(), "get-cpu": micros(used) / total}, nil
}
