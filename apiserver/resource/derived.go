package resource

import "sync"

// Derived holds what others work out of a Definition when they first need it and want to keep (how the fields of its
// objects are merged, say): it lives and dies with the Definition. The zero value is ready for use.
type Derived struct{ values sync.Map }

// Get returns the value of key, which make makes where there is none yet. Keys are comparable values of a type that the
// caller alone has. make may run more than once at the same time; one result is kept.
func (d *Derived) Get(key any, make func() any) any {
	if v, ok := d.values.Load(key); ok {
		return v
	}
	v, _ := d.values.LoadOrStore(key, make())
	return v
}
