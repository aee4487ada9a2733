package runtime

import (
	"context"
	"time"

	"github.com/keelson-project/keelson/runtime/client"
)

// Source makes requests from elsewhere than the watch on a kind. It runs while the controller does, until ctx ends, and
// may return nil before where there is nothing more to come; an error ends the controller.
type Source func(ctx context.Context, enqueue func(...Request)) error

// Channel is a Source: requests makes some of each value that ch gives, until it is closed. Whoever sends waits while the
// controller is not running.
func Channel[T any](ch <-chan T, requests func(T) []Request) Source {
	return func(ctx context.Context, enqueue func(...Request)) error {
		for {
			select {
			case v, open := <-ch:
				if !open {
					return nil
				}
				enqueue(requests(v)...)
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// Every is a Source: it asks for requests at once, and then every so often.
func Every(interval time.Duration, requests ...Request) Source {
	return func(ctx context.Context, enqueue func(...Request)) error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			enqueue(requests...)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// RequestFor is the request for an object.
func RequestFor(obj client.Object) Request { return Request{NamespacedName: client.KeyOf(obj)} }
