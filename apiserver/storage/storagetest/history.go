package storagetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// History is all that happened to a store, in order of revision. It is a dumb model of one: it answers by walking
// through everything, and is right because there is nothing to it.
type History []storage.Event

// Get is what stood at key at a revision, nil where it did not exist.
func (h History) Get(key string, at storage.Revision) *storage.KeyValue {
	var found *storage.KeyValue
	for i := range h {
		switch e := &h[i]; {
		case e.KV.ModRevision > at:
			return found
		case e.KV.Key != key:
		case e.Type == storage.EventDelete:
			found = nil
		default:
			found = &e.KV
		}
	}
	return found
}

// List is what stood under prefix at a revision, in order of the keys' bytes.
func (h History) List(prefix string, at storage.Revision) []storage.KeyValue {
	state := map[string]storage.KeyValue{}
	for _, e := range h {
		switch {
		case e.KV.ModRevision > at || !strings.HasPrefix(e.KV.Key, prefix):
		case e.Type == storage.EventDelete:
			delete(state, e.KV.Key)
		default:
			state[e.KV.Key] = e.KV
		}
	}
	out := make([]storage.KeyValue, 0, len(state))
	for _, key := range slices.Sorted(maps.Keys(state)) {
		out = append(out, state[key])
	}
	return out
}

// Watch is what a watch on prefix from one revision up to another, both included, has to deliver.
func (h History) Watch(prefix string, from, to storage.Revision) []storage.Event {
	var out []storage.Event
	for _, e := range h {
		if rev := e.KV.ModRevision; rev >= from && rev <= to && strings.HasPrefix(e.KV.Key, prefix) {
			out = append(out, e)
		}
	}
	return out
}

// sort puts the events in order of revision.
func (h History) sort() {
	slices.SortStableFunc(h, func(a, b storage.Event) int { return cmp.Compare(a.KV.ModRevision, b.KV.ModRevision) })
}

// last is the newest revision.
func (h History) last() storage.Revision {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].KV.ModRevision
}

// sameKV says that two values are the same, where nil and empty bytes are.
func sameKV(a, b *storage.KeyValue) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && a.CreateRevision == b.CreateRevision && a.ModRevision == b.ModRevision
}

func sameEvent(a, b storage.Event) bool { return a.Type == b.Type && sameKV(&a.KV, &b.KV) }

func describeKV(kv *storage.KeyValue) string {
	if kv == nil {
		return "nothing"
	}
	value := string(kv.Value)
	if len(value) > 40 {
		value = fmt.Sprintf("%s... (%d bytes)", value[:40], len(value))
	}
	return fmt.Sprintf("%q = %q of revision %d, made at %d", kv.Key, value, kv.ModRevision, kv.CreateRevision)
}

func describe(e storage.Event) string {
	switch {
	case e.Type == storage.EventDelete && len(e.KV.Value) == 0 && e.KV.CreateRevision == 0:
		return fmt.Sprintf("delete of %q at revision %d", e.KV.Key, e.KV.ModRevision)
	case e.Type == storage.EventDelete:
		return "delete of " + describeKV(&e.KV)
	case e.Type == storage.EventPut:
		return "put of " + describeKV(&e.KV)
	}
	return fmt.Sprintf("event of type %d of %s", e.Type, describeKV(&e.KV))
}
