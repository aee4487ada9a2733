package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/keelson-project/keelson/bench/load"
)

// ErrNotServed is returned for a load that the server does not know.
var ErrNotServed = errors.New("not served")

// Apply changes objects by server-side apply, all workers at once. The objects are its own; the first apply of each
// creates it and is not measured.
type Apply struct{}

// Name implements Scenario.
func (Apply) Name() string { return "apply" }

// Run implements Scenario.
func (Apply) Run(ctx context.Context, env *Env) (map[string]float64, error) {
	if _, err := env.fill(ctx); err != nil {
		return nil, err
	}
	const own, total = 200, 2000
	apply := func(ctx context.Context, i int) error {
		name := fmt.Sprintf("applied-%03d", i%own)
		_, err := env.Client.Do(ctx, load.Request{
			Method: "PATCH", Path: objects.Collection() + "/" + name + "?fieldManager=bench&force=true",
			Type: load.ApplyPatch, Body: objects.Object(name, i%own, i),
		})
		return err
	}
	_, err := load.Parallel(ctx, env.Sizes.Workers, own, apply)
	var status *load.StatusError
	if errors.As(err, &status) && status.Code == http.StatusUnsupportedMediaType {
		return nil, fmt.Errorf("%w: %w", ErrNotServed, err)
	}
	if err != nil {
		return nil, err
	}
	var took time.Duration
	used, err := env.cpu(func() (err error) {
		took, err = load.Parallel(ctx, env.Sizes.Workers, total, apply)
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]float64{"apply-rate": total / took.Seconds(), "apply-cpu": micros(used) / total}, nil
}
