package informer

import "sync/atomic"

// part of a collection is what one reflector brings: all of it, or one of the namespaces of a Scope that has several.
type part struct {
	*engine
	namespace string                 // "": all
	phase     atomic.Uint32          // of the reflector
	shown     atomic.Pointer[string] // the revision that the published view has of this part

	revision string // guarded by store.mu; "" until complete
	complete bool   // guarded by store.mu
	relists  uint64 // guarded by store.mu
}

var _ sink = (*part)(nil)

func newPart(e *engine, namespace string) *part {
	p := &part{engine: e, namespace: namespace}
	none := ""
	p.shown.Store(&none)
	return p
}

func (p *part) at(ph phase) { p.phase.Store(uint32(ph)) }

// advance moves the revision forward; an older one is ignored. It requires mu, and commit to follow.
func (p *part) advance(revision string) {
	if revision == "" || isRevision(revision) && isRevision(p.revision) && !newer(revision, p.revision) {
		return
	}
	p.revision = revision
}

// replace makes items the whole state of the part, and tells handlers the difference. revision is "" where the server
// has no such collection: the part is emptied, and its revision stays.
func (p *part) replace(items []item, revision string) {
	p.mu.Lock()
	first := !p.isSynced()
	gone := map[name]item{}
	for it := range p.current.Load().list(p.namespace) {
		gone[name{it.GetNamespace(), it.GetName()}] = it
	}
	for _, it := range items {
		n := name{it.GetNamespace(), it.GetName()}
		old := gone[n]
		delete(gone, n)
		if old != nil && it.GetResourceVersion() != "" && old.GetResourceVersion() == it.GetResourceVersion() && old.GetUID() == it.GetUID() {
			continue // nothing happened to it; what readers hold stays shared
		}
		p.tell(n, change{old: p.set(n, it), new: it, initial: first})
	}
	for n := range gone {
		p.tell(n, change{old: p.remove(n), unknown: true})
	}
	if revision != "" {
		if p.complete {
			p.relists++
		}
		p.revision = revision // a list is the truth even where the server's history began anew
		p.complete = true
	}
	p.commit()
	p.mu.Unlock()
	p.account()
}

// apply stores or removes one object. A repeated event is ignored.
func (p *part) apply(deleted bool, it item) {
	p.mu.Lock()
	if rv := it.GetResourceVersion(); isRevision(rv) && isRevision(p.revision) && !newer(rv, p.revision) {
		p.mu.Unlock()
		return
	}
	n := name{it.GetNamespace(), it.GetName()}
	c := change{new: it}
	if deleted {
		c.old, c.new, c.last = p.remove(n), nil, it
	} else {
		c.old = p.set(n, it)
	}
	p.advance(it.GetResourceVersion())
	p.told(n, c)
}

// lost removes an object of which only the name is known.
func (p *part) lost(namespace, n, revision string) {
	p.mu.Lock()
	key := name{namespace, n}
	c := change{old: p.remove(key), unknown: true}
	p.advance(revision)
	p.told(key, c)
}

// told commits one change. It releases mu.
func (p *part) told(n name, c change) {
	p.tell(n, c)
	p.commit()
	p.mu.Unlock()
	p.account()
}

// bookmark moves the revision.
func (p *part) bookmark(revision string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.revision
	if p.advance(revision); p.revision != before {
		p.commit()
	}
}
