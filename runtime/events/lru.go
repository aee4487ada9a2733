package events

import "container/list"

// lru is a map of bounded size, which forgets what was not used for longest.
type lru[K comparable, V any] struct {
	max     int
	order   list.List // of *pair, latest first
	at      map[K]*list.Element
	evicted func(V) // nil: nobody is told
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func (l *lru[K, V]) get(key K) (value V, ok bool) {
	e := l.at[key]
	if e == nil {
		return value, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*pair[K, V]).value, true
}

// put adds what is not there, or replaces it.
func (l *lru[K, V]) put(key K, value V) {
	if e := l.at[key]; e != nil {
		e.Value.(*pair[K, V]).value = value
		l.order.MoveToFront(e)
		return
	}
	if l.at == nil {
		l.at = map[K]*list.Element{}
	}
	if len(l.at) >= l.max {
		oldest := l.order.Remove(l.order.Back()).(*pair[K, V])
		delete(l.at, oldest.key)
		if l.evicted != nil {
			l.evicted(oldest.value)
		}
	}
	l.at[key] = l.order.PushFront(&pair[K, V]{key, value})
}

func (l *lru[K, V]) drop(key K) {
	if e := l.at[key]; e != nil {
		l.order.Remove(e)
		delete(l.at, key)
	}
}
