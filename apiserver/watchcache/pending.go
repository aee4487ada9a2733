package watchcache

import "github.com/keelson-project/keelson/apiserver/storage"

// pending is what happened while a table is being listed, in order of revision. When it has become long, it is
// reduced to the last event of each key, so that it needs no more memory than the resource itself; history
// then begins after it.
type pending struct {
	events  []storage.Event
	reduced storage.Revision // events up to it have been reduced; zero: none
	limit   int              // reduce when there are so many
}

const pendingLimit = 16384

func (p *pending) add(events []storage.Event) {
	p.events = append(p.events, events...)
	if len(p.events) < max(p.limit, pendingLimit) {
		return
	}
	last := make(map[string]int, len(p.events))
	for i := range p.events {
		last[p.events[i].KV.Key] = i
	}
	p.reduced = p.events[len(p.events)-1].KV.ModRevision
	kept := make([]storage.Event, 0, len(last))
	for i := range p.events {
		if last[p.events[i].KV.Key] == i {
			kept = append(kept, p.events[i])
		}
	}
	p.events = kept
	p.limit = 2 * len(kept) // so that the cost of reducing is spread over as many additions
}

// take returns what is there and leaves nothing.
func (p *pending) take() pending {
	taken := *p
	*p = pending{}
	return taken
}
