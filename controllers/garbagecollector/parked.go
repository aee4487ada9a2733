package garbagecollector

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// perLook is how far looks are apart at least: a hundred in a second, however many kinds are parked.
const perLook = 10 * time.Millisecond

// parked are custom kinds that are not watched, because they had no objects when they were looked at: a server may have
// thousands of those, and a watch on each would be most of what it does. They are looked at again every so often, as
// Kubernetes' collector asks for new kinds, and at once where an object names one of them as its owner.
type parked struct {
	above  int // so many kinds are watched whether they have objects or not; 0: all
	period time.Duration
	due    map[schema.GroupVersionKind]time.Time // used by follow alone
	wake   chan struct{}                         // one token while there is somebody in needed

	mu     sync.Mutex
	needed map[schema.GroupKind]bool // owners of something
}

func newParked(above int, period time.Duration) *parked {
	return &parked{above: above, period: period, due: map[schema.GroupVersionKind]time.Time{}, wake: make(chan struct{}, 1), needed: map[schema.GroupKind]bool{}}
}

// takes parks a kind that is new, where enough are watched. It reports whether the kind is parked.
func (p *parked) takes(gvk schema.GroupVersionKind, watching int) bool {
	if _, is := p.due[gvk]; is {
		return true
	}
	if p.above == 0 || watching < p.above || !strings.Contains(gvk.Group, ".") || strings.HasSuffix(gvk.Group, ".k8s.io") {
		return false
	}
	p.due[gvk] = time.Now()
	return true
}

// keep forgets the kinds that are not wanted.
func (p *parked) keep(wanted map[schema.GroupVersionKind]bool) {
	for gvk := range p.due {
		if !wanted[gvk] {
			delete(p.due, gvk)
		}
	}
}

// need has a kind watched that may be parked: there are, or were, objects of it.
func (p *parked) need(gk schema.GroupKind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.above > 0 && !p.needed[gk] {
		p.needed[gk] = true
		poke(p.wake)
	}
}

// next is when there is something to look at, refresh at the latest.
func (p *parked) next(refresh time.Time) time.Time {
	for _, due := range p.due {
		refresh = minTime(refresh, due)
	}
	return refresh
}

// look begins to watch those that have objects by now, or are needed.
func (p *parked) look(ctx context.Context, c *collector, watching map[schema.GroupVersionKind]*watched) {
	p.mu.Lock()
	needed := p.needed
	p.needed = map[schema.GroupKind]bool{}
	p.mu.Unlock()
	now := time.Now()
	for gvk, due := range p.due {
		if !needed[gvk.GroupKind()] {
			if now.Before(due) {
				continue
			}
			p.due[gvk] = now.Add(max(p.period, time.Duration(len(p.due))*perLook))
			if !c.hasObjects(ctx, gvk) {
				continue
			}
		}
		delete(p.due, gvk)
		watching[gvk] = c.start(gvk, c.changed)
	}
}

// hasObjects asks whether there are objects of a kind. Where it is served is known: the client need not ask for that, once
// for each new kind of a group. A kind that has gone meanwhile has none, and is forgotten by the next refresh.
func (c *collector) hasObjects(ctx context.Context, gvk schema.GroupVersionKind) bool {
	at := c.graph.servedAs(c.kind(gvk))
	if at == nil {
		return false
	}
	gvr := at.Resource
	data, err := c.client.Raw(ctx, "/apis/"+gvr.Group+"/"+gvr.Version+"/"+gvr.Resource, url.Values{"limit": {"1"}})
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	return err == nil && json.Unmarshal(data, &list) == nil && len(list.Items) > 0
}
