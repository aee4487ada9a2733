package informer

import "time"

// AddHandler has h called for each object that there is, as an initial addition, and then for each change. It
// may be called at any time; h is called while Run runs. In compact mode each call gets copies of its own.
func (i *Informer[T]) AddHandler(h func(Change[T])) *Registration {
	return i.add(func(c change) { h(changeOf(c, decoded[T])) })
}

// AddMetaHandler is AddHandler for who needs no more than Meta: nothing is decoded.
func (i *Informer[T]) AddMetaHandler(h func(Change[Meta])) *Registration {
	return i.add(func(c change) { h(changeOf(c, func(it item) Meta { return it })) })
}

func (i *Informer[T]) add(call func(change)) *Registration {
	r := newRegistration(call)
	e := i.engine
	r.remove = func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.handlers, r)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handlers[r] = struct{}{}
	initial := make([]noted, 0, e.objects.Len())
	e.objects.Ascend(func(en entry) bool {
		initial = append(initial, noted{en.name, change{new: en.item, initial: true}})
		return true
	})
	r.note(time.Now(), initial)
	if e.isSynced() {
		r.initialEnds()
	}
	if i.start != nil {
		i.start(r)
	}
	return r
}

// decoded is the object of an item; the zero value where it cannot be decoded any more.
func decoded[T Object](it item) T {
	o, _ := it.object().(T)
	return o
}

func changeOf[T any](c change, of func(item) T) Change[T] {
	t := Change[T]{Type: c.kind(), Initial: c.initial && c.old == nil, FinalStateUnknown: c.unknown && c.new == nil}
	if c.old != nil {
		t.Old = of(c.old)
	}
	if c.new != nil {
		t.New = of(c.new)
	}
	return t
}
