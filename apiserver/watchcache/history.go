package watchcache

import (
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// history is what happened to one resource lately: a ring of all changes, bounded by number and bytes, and for
// each narrow interest that someone watches (one object, one namespace) a ring of just those changes. A change
// leaves all rings when it leaves the ring of all. So a watcher of one object is neither woken nor outrun by
// what happens to the others. It is guarded by its table's mutex.
type history struct {
	all      *ring
	prefix   string // of the resource
	maxCount int
	maxBytes int64
	bytes    int64
	// topics by what is watched: a key, or a prefix of keys that ends in "NAMESPACE/" (a key never does).
	topics map[string]*topic
}

// topic is a narrow interest while someone has it.
type topic struct {
	ring     *ring
	watchers int
}

func newHistory(prefix string, o *Options) history {
	return history{all: newRing(0), prefix: prefix, maxCount: o.HistoryEvents, maxBytes: o.HistoryBytes}
}

// namespaceOf returns the prefix of key that ends in "NAMESPACE/", or "" where the key has no namespace.
func (h *history) namespaceOf(key string) string {
	if i := strings.IndexByte(key[len(h.prefix):], '/'); i >= 0 {
		return key[:len(h.prefix)+i+1]
	}
	return ""
}

// push adds a change, forgets old ones, and returns wakes with the channels added that are now to be closed.
func (h *history) push(c *change, wakes []chan struct{}) []chan struct{} {
	h.all.push(c)
	wakes = h.all.takeWake(wakes)
	if len(h.topics) > 0 {
		key := c.key()
		for _, t := range [2]*topic{h.topics[key], h.topics[h.namespaceOf(key)]} {
			if t != nil {
				t.ring.push(c)
				wakes = t.ring.takeWake(wakes)
			}
		}
	}
	h.bytes += c.size()
	for h.all.n > 0 && (h.all.n > h.maxCount || h.bytes > h.maxBytes) {
		h.pop()
	}
	return wakes
}

func (h *history) pop() {
	c := h.all.pop()
	h.bytes -= c.size()
	if len(h.topics) == 0 {
		return
	}
	key := c.key()
	for _, t := range [2]*topic{h.topics[key], h.topics[h.namespaceOf(key)]} {
		// A topic that is younger than the change does not have it.
		if t != nil && t.ring.n > 0 && t.ring.at(t.ring.first) == c {
			t.ring.pop()
		}
	}
}

// subscribe returns the ring for an interest ("" is in everything), reaching back to from if history does.
func (h *history) subscribe(interest string, from storage.Revision) *ring {
	if interest == "" {
		return h.all
	}
	t := h.topics[interest]
	if t == nil {
		if h.topics == nil {
			h.topics = map[string]*topic{}
		}
		floor := max(from, h.all.floor)
		t = &topic{ring: newRing(floor)}
		for _, c := range h.between(interest, floor, h.lastRevision()) {
			t.ring.push(c)
		}
		h.topics[interest] = t
	} else if from < t.ring.floor && h.all.floor < t.ring.floor {
		floor := max(from, h.all.floor)
		t.ring.unshift(h.between(interest, floor, t.ring.floor), floor)
	}
	t.watchers++
	return t.ring
}

// unsubscribe undoes one subscribe.
func (h *history) unsubscribe(interest string) {
	t := h.topics[interest]
	if t == nil {
		return
	}
	if t.watchers--; t.watchers == 0 {
		delete(h.topics, interest)
	}
}

func (h *history) lastRevision() storage.Revision {
	if h.all.n == 0 {
		return h.all.floor
	}
	return h.all.at(h.all.end() - 1).rev
}

// between returns the changes of an interest with a revision in (after, upTo].
func (h *history) between(interest string, after, upTo storage.Revision) []*change {
	var found []*change
	for number := h.all.after(after); number < h.all.end(); number++ {
		c := h.all.at(number)
		if c.rev > upTo {
			break
		}
		if key := c.key(); key == interest || h.namespaceOf(key) == interest {
			found = append(found, c)
		}
	}
	return found
}

// breakOff forgets everything up to floor because changes before it may have been missed. Watchers of topics
// for which intact says that nothing was missed go on, if they had read everything.
func (h *history) breakOff(floor storage.Revision, intact func(interest string) bool) []chan struct{} {
	h.bytes = 0
	h.all.breakOff(floor)
	wakes := h.all.takeWake(nil)
	for interest, t := range h.topics {
		if intact(interest) {
			t.ring.clear(floor)
			continue
		}
		t.ring.breakOff(floor)
		wakes = t.ring.takeWake(wakes)
	}
	return wakes
}

// wakeAll returns the channels of everyone who waits.
func (h *history) wakeAll() []chan struct{} {
	wakes := h.all.takeWake(nil)
	for _, t := range h.topics {
		wakes = t.ring.takeWake(wakes)
	}
	return wakes
}

func (r *ring) takeWake(wakes []chan struct{}) []chan struct{} {
	if r.wake != nil {
		wakes = append(wakes, r.wake)
		r.wake = nil
	}
	return wakes
}

func closeAll(wakes []chan struct{}) {
	for _, wake := range wakes {
		close(wake)
	}
}
