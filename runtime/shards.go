package runtime

import "context"

// Shards divide the requests of controllers among processes: each belongs to one at a time. All methods are safe for
// concurrent use. Package runtime/shards has one over Leases.
type Shards interface {
	// Run takes part until ctx ends, and then gives up what it holds.
	Run(ctx context.Context) error
	// Owns says whether requests like that are this process's now. It is asked for every event.
	Owns(req Request) bool
	// Hold keeps the request this process's until release is called: while it is worked on, nobody else gets it, unless
	// this process cannot hold it any longer; held ends then. ok is false where it is not this process's.
	Hold(ctx context.Context, req Request) (held context.Context, release func(), ok bool)
	// OnGain has f called whenever requests may have become this process's, until remove is called.
	OnGain(f func()) (remove func())
}
