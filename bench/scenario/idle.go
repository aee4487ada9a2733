package scenario

import "context"

// Start tells how long the server took to be ready.
type Start struct{}

// Name implements Scenario.
func (Start) Name() string { return "start" }

// Run implements Scenario.
func (Start) Run(_ context.Context, env *Env) (map[string]float64, error) {
	return map[string]float64{"start": millis(env.Server.Ready)}, nil
}

// Idle reads the memory of a server that has had nothing to do yet.
type Idle struct{}

// Name implements Scenario.
func (Idle) Name() string { return "idle" }

// Run implements Scenario.
func (Idle) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	u, err := env.settle(ctx)
	return map[string]float64{"idle-rss": kib(u.RSS) / 1024, "idle-anon": kib(u.Anon) / 1024}, err
}
