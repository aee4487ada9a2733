package informer

import "sync/atomic"

// Budget is how many bytes the objects and indexes of some informers are meant to take: of one, of those of a Shared,
// or of all in a process. Who exceeds it is told, and reports say so; no data is dropped for it. All methods are safe
// for concurrent use, and a nil Budget is never exceeded.
type Budget struct {
	limit   int64
	onCross func(used int64, exceeded bool)
	used    atomic.Int64
	over    atomic.Bool
}

// NewBudget makes a budget of so many bytes. onCross, which may be nil, is called when it becomes exceeded and when
// that is over (below fifteen sixteenths of the limit, so that it does not flap). It must not block.
func NewBudget(limit int64, onCross func(used int64, exceeded bool)) *Budget {
	return &Budget{limit: limit, onCross: onCross}
}

// Limit is what may be used.
func (b *Budget) Limit() int64 { return b.limit }

// Used is what is used, about.
func (b *Budget) Used() int64 { return b.used.Load() }

// Exceeded says whether more is used than the limit.
func (b *Budget) Exceeded() bool { return b != nil && b.over.Load() }

func (b *Budget) add(bytes int64) {
	used := b.used.Add(bytes)
	crossed := used > b.limit && b.over.CompareAndSwap(false, true) ||
		used < b.limit-b.limit/16 && b.over.CompareAndSwap(true, false)
	if crossed && b.onCross != nil {
		b.onCross(used, used > b.limit)
	}
}
