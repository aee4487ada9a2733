package workqueue

// groups give the groups of keys turns within each level. A group is there, per level, while it has ready keys.
type groups[K comparable] struct {
	of      func(K) string
	by      map[groupID]int32
	all     []group
	free    int32    // head of the list of unused groups, linked by next; none: empty
	members []member // by slot: its place in its group's list
}

type groupID struct {
	level int32
	name  string
}

// group is the list of its ready keys, first come first served, and a place in the ring of its level.
type group struct {
	id         groupID
	keys       list
	prev, next int32
}

// member is what a ready slot needs in addition where there are groups.
type member struct{ prev, next, group int32 }

// glances is how many groups take looks at for one that may have the level's turn.
const glances = 8

func newGroups[K comparable](of func(K) string) *groups[K] {
	return &groups[K]{of: of, by: map[groupID]int32{}, free: none}
}

// rotate chooses among the first keys of the groups of l, the level that is first in order. Groups take turns from the
// cursor on. A group whose first key would not go before the other levels on its own is passed over: else the fresh
// keys of many groups would ride on the age of one group's backlog. That one's oldest key goes where none is found
// at a few glances.
func (c *core[K]) rotate(l *level) int32 {
	g := c.groups
	rival := c.levels.rival()
	for range glances {
		at := g.all[l.cursor].keys.head
		l.cursor = g.all[l.cursor].next
		if rival == nil || c.levels.before(c.levels.score(c.slots[at].when, l.priority), l.priority, rival) {
			return at
		}
	}
	return l.keys.head
}

// rival is the second level in order; nil: there is none.
func (l *levels) rival() *level {
	switch {
	case len(l.order) < 2:
		return nil
	case len(l.order) > 2 && l.less(2, 1):
		return &l.all[l.order[2]]
	default:
		return &l.all[l.order[1]]
	}
}

// join puts a slot that was put in l at the end of its group's keys. A group that had none is the last of the ring.
func (c *core[K]) join(l *level, at int32) {
	g := c.groups
	id := groupID{c.slots[at].level, g.of(c.slots[at].key)}
	n, ok := g.by[id]
	if !ok {
		n = g.make(id)
		if l.cursor == none {
			l.cursor = n
			g.all[n].prev, g.all[n].next = n, n
		} else {
			last := g.all[l.cursor].prev
			g.all[n].prev, g.all[n].next = last, l.cursor
			g.all[last].next, g.all[l.cursor].prev = n, n
		}
	}
	keys := &g.all[n].keys
	g.members[at] = member{keys.tail, none, n}
	if keys.tail != none {
		g.members[keys.tail].next = at
	} else {
		keys.head = at
	}
	keys.tail = at
}

func (g *groups[K]) make(id groupID) int32 {
	n := g.free
	if n == none {
		n = int32(len(g.all))
		g.all = append(g.all, group{})
	} else {
		g.free = g.all[n].next
	}
	g.all[n] = group{id: id, keys: list{none, none}}
	g.by[id] = n
	return n
}

// leave takes a slot out of its group, and a group that has no keys left out of the ring of l.
func (c *core[K]) leave(l *level, at int32) {
	g := c.groups
	m := g.members[at]
	gr := &g.all[m.group]
	if m.next != none {
		g.members[m.next].prev = m.prev
	} else {
		gr.keys.tail = m.prev
	}
	if m.prev != none {
		g.members[m.prev].next = m.next
	} else {
		gr.keys.head = m.next
	}
	if gr.keys.head != none {
		return
	}
	if l.cursor == m.group {
		l.cursor = gr.next
	}
	if l.cursor == m.group {
		l.cursor = none
	}
	g.all[gr.prev].next, g.all[gr.next].prev = gr.next, gr.prev
	delete(g.by, gr.id)
	*gr = group{next: g.free}
	g.free = m.group
}
