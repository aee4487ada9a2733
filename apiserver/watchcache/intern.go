package watchcache

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// interner gives equal strings of many objects (label keys and values, owners) one place in memory. It
// remembers a fixed number of them; a string that is forgotten costs no more than it would without.
type interner struct {
	seed  maphash.Seed
	mu    sync.Mutex
	slots [2048]string
	sets  [512]resource.Pairs // whole label sets: those of replicas are equal
}

func newInterner() *interner { return &interner{seed: maphash.MakeSeed()} }

// share replaces what is often the same in p, which nobody else has yet, by what was seen before.
func (in *interner) share(p *resource.Projection) {
	if len(p.Labels)+len(p.Fields)+len(p.Owners) == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	p.Labels = in.set(p.Labels)
	in.all(p.Fields)
	for i := range p.Owners {
		o := &p.Owners[i]
		o.APIVersion, o.Kind, o.Name = in.one(o.APIVersion), in.one(o.Kind), in.one(o.Name)
	}
}

// set requires mu.
func (in *interner) set(labels resource.Pairs) resource.Pairs {
	if len(labels) == 0 {
		return nil
	}
	var hash uint64
	for _, s := range labels {
		hash = hash*31 + maphash.String(in.seed, s)
	}
	slot := &in.sets[hash%uint64(len(in.sets))]
	if !slices.Equal(*slot, labels) {
		in.all(labels)
		*slot = slices.Clip(labels)
	}
	return *slot
}

// all requires mu.
func (in *interner) all(strings []string) {
	for i, s := range strings {
		strings[i] = in.one(s)
	}
}

// one requires mu.
func (in *interner) one(s string) string {
	if s == "" {
		return ""
	}
	slot := &in.slots[maphash.String(in.seed, s)%uint64(len(in.slots))]
	if *slot != s {
		*slot = s
	}
	return *slot
}
