package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Parallel calls do with 0 to total-1, from as many goroutines as there are workers, and returns how long that took.
// The first error ends it.
func Parallel(ctx context.Context, workers, total int, do func(ctx context.Context, i int) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= total {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(start), context.Cause(ctx)
}
