package watchcache

import (
	"time"

	"github.com/go-logr/logr"
)

// Options of a Cache. The zero value of each field but Prefix has a default.
type Options struct {
	Prefix string      // of all keys, with trailing slash: the one watch is on it
	Logger logr.Logger // zero: discards

	// HistoryEvents and HistoryBytes bound the ring of each Resource: how many changes a watcher may fall
	// behind, and how many bytes of superseded objects they may keep alive. Defaults: 16384, 16 MiB.
	HistoryEvents int
	HistoryBytes  int64

	// KeptSnapshots is how many snapshots of a Resource are held by Snapshot.Keep. Default: 16.
	KeptSnapshots int
	// FreshTimeout bounds how long a read waits for the cache to catch up with the store. Default: 3 s.
	FreshTimeout time.Duration
	// IdleTimeout is how long a Resource keeps its entries when there is neither a read nor a watcher.
	// Default: 10 minutes.
	IdleTimeout time.Duration
	// PageSize is the number of objects that one request to the store lists. Default: 1000.
	PageSize int
}

func (o Options) withDefaults() Options {
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	orDefault(&o.HistoryEvents, 16384)
	orDefault(&o.HistoryBytes, 16<<20)
	orDefault(&o.KeptSnapshots, 16)
	orDefault(&o.FreshTimeout, 3*time.Second)
	orDefault(&o.IdleTimeout, 10*time.Minute)
	orDefault(&o.PageSize, 1000)
	return o
}

func orDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
