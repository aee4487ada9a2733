package scenario

import (
	"context"
	"time"
)

// Create stores the objects, all workers at once.
type Create struct{}

// Name implements Scenario.
func (Create) Name() string { return "create" }

// Run implements Scenario.
func (Create) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	before, err := env.settle(ctx)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	used, err := env.cpu(func() (err error) {
		took, err = env.fill(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	after, err := env.settle(ctx)
	n := float64(env.Sizes.Objects)
	return map[string]float64{
		"create-rate":   n / took.Seconds(),
		"create-cpu":    micros(used) / n,
		"object-memory": kib(after.RSS-before.RSS) / n,
	}, err
}
