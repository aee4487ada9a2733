package workqueue

import "time"

// levels are the priorities in use. Slots refer to them by index.
type levels struct {
	all    []level
	free   int32         // head of the list of unused levels, linked by pos; none: empty
	by     map[int]int32 // the level of each priority
	recent int32         // the one that was found last; none: none
	order  []int32       // the levels that hold keys: a heap by the score of their first key
	aging  int64
	most   int64 // the priority whose head start is the largest that counts
}

// level is the list of ready keys of one priority, first come first served.
type level struct {
	keys     list
	priority int
	count    int
	score    int64 // of its first key; lower goes first
	pos      int32 // place in levels.order
	cursor   int32 // the group whose turn is next; none: no key, or no groups
}

// keptLevels is how many levels are kept for reuse when they are empty.
const keptLevels = 64

// maxStart is the largest head start that counts: 73 years, so that sums do not overflow.
const maxStart = int64(1) << 61

func (l *levels) init(aging time.Duration) {
	l.by = map[int]int32{}
	l.free, l.recent = none, none
	l.aging = int64(aging)
	if l.aging <= 0 {
		l.aging = int64(100 * time.Millisecond)
	}
	l.most = maxStart / l.aging
}

// of finds the level of a priority, or makes one.
func (l *levels) of(priority int) int32 {
	if l.recent != none && l.all[l.recent].priority == priority {
		return l.recent
	}
	at, ok := l.by[priority]
	if !ok {
		if at = l.free; at == none {
			at = int32(len(l.all))
			l.all = append(l.all, level{})
		} else {
			l.free = l.all[at].pos
		}
		l.all[at] = level{keys: list{none, none}, priority: priority, cursor: none}
		l.by[priority] = at
	}
	l.recent = at
	return at
}

// score is when a key became ready, less the head start of its priority: static, so order needs no upkeep as time
// passes. Head starts are at most maxStart, either way.
func (l *levels) score(since int64, priority int) int64 {
	p := int64(priority)
	switch {
	case p > l.most:
		return since - maxStart
	case p < -l.most:
		return min(since, maxStart) + maxStart
	}
	return since - p*l.aging
}

// push makes a slot ready, at the end of the level of its priority.
func (c *core[K]) push(at int32) {
	e := &c.slots[at]
	e.state = ready
	e.level = c.levels.of(e.priority)
	c.depth++
	l := &c.levels.all[e.level]
	l.count++
	c.enlist(&l.keys, at)
	if c.groups != nil {
		c.join(l, at)
	}
	if l.keys.head == at {
		l.score = c.levels.score(e.when, e.priority)
		if len(c.levels.order) == 0 {
			l.pos, c.levels.order = 0, append(c.levels.order, e.level)
		} else {
			c.levels.insert(e.level)
		}
	}
}

// first is the slot that take gives next. It requires that one is ready.
func (c *core[K]) first() int32 {
	l := &c.levels.all[c.levels.order[0]]
	if c.groups != nil {
		return c.rotate(l)
	}
	return l.keys.head
}

// remove takes a ready slot out of its level.
func (c *core[K]) remove(at int32) {
	e := &c.slots[at]
	c.depth--
	l := &c.levels.all[e.level]
	l.count--
	c.delist(&l.keys, at)
	if c.groups != nil {
		c.leave(l, at)
	}
	switch {
	case l.keys.head == none:
		c.levels.drop(e.level)
	case e.prev == none:
		head := &c.slots[l.keys.head]
		l.score = c.levels.score(head.when, head.priority)
		if len(c.levels.order) > 1 {
			c.levels.up(c.levels.down(int(l.pos)))
		}
	}
}

// raise moves a ready slot to a higher priority; it keeps the time since when it has waited.
func (c *core[K]) raise(at int32, priority int) {
	e := &c.slots[at]
	if priority <= e.priority {
		return
	}
	c.remove(at)
	e.priority = priority
	c.push(at)
}

// insert puts a level that has got its first key into the order.
func (l *levels) insert(at int32) {
	i := len(l.order)
	l.all[at].pos = int32(i)
	l.order = append(l.order, at)
	l.up(i)
}

// drop takes an empty level out of the order.
func (l *levels) drop(at int32) {
	last := len(l.order) - 1
	if i := int(l.all[at].pos); i < last {
		l.swap(i, last)
		l.order = l.order[:last]
		l.up(l.down(i))
	} else {
		l.order = l.order[:last]
	}
	if len(l.by) > keptLevels {
		delete(l.by, l.all[at].priority)
		l.all[at].pos, l.free = l.free, at
		l.recent = none
	}
}

// before reports whether a key of a level with that score and priority goes before b's first.
func (l *levels) before(score int64, priority int, b *level) bool {
	if score != b.score {
		return score < b.score
	}
	return priority > b.priority
}

func (l *levels) less(i, j int) bool {
	a := &l.all[l.order[i]]
	return l.before(a.score, a.priority, &l.all[l.order[j]])
}

func (l *levels) swap(i, j int) {
	l.order[i], l.order[j] = l.order[j], l.order[i]
	l.all[l.order[i]].pos, l.all[l.order[j]].pos = int32(i), int32(j)
}

func (l *levels) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !l.less(i, parent) {
			return
		}
		l.swap(i, parent)
		i = parent
	}
}

func (l *levels) down(i int) int {
	for {
		child := 2*i + 1
		if child >= len(l.order) {
			return i
		}
		if child+1 < len(l.order) && l.less(child+1, child) {
			child++
		}
		if !l.less(child, i) {
			return i
		}
		l.swap(i, child)
		i = child
	}
}
