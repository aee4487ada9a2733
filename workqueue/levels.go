package workqueue

// level is the list of ready keys of one priority, first come first served.
type level struct {
	priority   int
	head, tail int32
	pos        int   // place in core.order
	score      int64 // of its head; lower goes first
}

// keptLevels is how many levels are kept for reuse when they are empty.
const keptLevels = 64

// push puts a slot at the end of its level.
func (c *core[K]) push(at int32) {
	e := &c.slots[at]
	e.state = ready
	c.depth++
	l := c.level(e.priority)
	e.prev, e.next = l.tail, none
	if l.tail != none {
		c.slots[l.tail].next = at
		l.tail = at
		return
	}
	l.head, l.tail = at, at
	l.score = c.score(e)
	l.pos = len(c.order)
	c.order = append(c.order, l)
	c.orderUp(l.pos)
}

// level finds the level of a priority, or makes one.
func (c *core[K]) level(priority int) *level {
	if c.recent != nil && c.recent.priority == priority {
		return c.recent
	}
	l := c.levels[priority]
	if l == nil {
		l = &level{priority: priority, head: none, tail: none}
		c.levels[priority] = l
	}
	c.recent = l
	return l
}

// remove takes a ready slot out of its level.
func (c *core[K]) remove(at int32) {
	e := &c.slots[at]
	c.depth--
	var l *level
	if len(c.order) == 1 {
		l = c.order[0]
	} else {
		l = c.level(e.priority)
	}
	if e.next != none {
		c.slots[e.next].prev = e.prev
	} else {
		l.tail = e.prev
	}
	if e.prev != none {
		c.slots[e.prev].next = e.next
		return
	}
	l.head = e.next
	if l.head != none {
		l.score = c.score(&c.slots[l.head])
		c.orderUp(c.orderDown(l.pos))
		return
	}
	c.dropLevel(l)
}

// dropLevel takes an empty level out of the order.
func (c *core[K]) dropLevel(l *level) {
	last := len(c.order) - 1
	i := l.pos
	c.orderSwap(i, last)
	c.order[last] = nil
	c.order = c.order[:last]
	if i < last {
		c.orderUp(c.orderDown(i))
	}
	if len(c.levels) > keptLevels {
		delete(c.levels, l.priority)
		c.recent = nil
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

// score is when e became ready, less the head start of its priority: static, so order needs no upkeep as time
// passes.
func (c *core[K]) score(e *entry[K]) int64 {
	const bound = int64(1) << 61
	p := int64(e.priority)
	if p > bound/c.aging {
		return e.readyAt - bound
	}
	if p < -bound/c.aging {
		return min(e.readyAt, bound) + bound
	}
	return e.readyAt - p*c.aging
}

func (c *core[K]) before(a, b *level) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	return a.priority > b.priority
}

func (c *core[K]) orderSwap(i, j int) {
	c.order[i], c.order[j] = c.order[j], c.order[i]
	c.order[i].pos, c.order[j].pos = i, j
}

func (c *core[K]) orderUp(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !c.before(c.order[i], c.order[parent]) {
			return
		}
		c.orderSwap(i, parent)
		i = parent
	}
}

func (c *core[K]) orderDown(i int) int {
	for {
		child := 2*i + 1
		if child >= len(c.order) {
			return i
		}
		if child+1 < len(c.order) && c.before(c.order[child+1], c.order[child]) {
			child++
		}
		if !c.before(c.order[child], c.order[i]) {
			return i
		}
		c.orderSwap(i, child)
		i = child
	}
}
