package workqueue

// The heap of due times: core.due holds slots, each of which knows its place, so that a key can be taken out or
// moved forward.

func (c *core[K]) dueInsert(at int32) {
	c.slots[at].pos = int32(len(c.due))
	c.due = append(c.due, at)
	c.dueUp(len(c.due) - 1)
}

// undelay takes a slot out of the heap.
func (c *core[K]) undelay(at int32) {
	i, last := int(c.slots[at].pos), len(c.due)-1
	c.dueSwap(i, last)
	c.due = c.due[:last]
	c.slots[at].pos = none
	if i < last {
		c.dueUp(c.dueDown(i))
	}
}

func (c *core[K]) dueSwap(i, j int) {
	c.due[i], c.due[j] = c.due[j], c.due[i]
	c.slots[c.due[i]].pos, c.slots[c.due[j]].pos = int32(i), int32(j)
}

func (c *core[K]) dueLess(i, j int) bool { return c.slots[c.due[i]].when < c.slots[c.due[j]].when }

func (c *core[K]) dueUp(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !c.dueLess(i, parent) {
			return
		}
		c.dueSwap(i, parent)
		i = parent
	}
}

func (c *core[K]) dueDown(i int) int {
	for {
		child := 2*i + 1
		if child >= len(c.due) {
			return i
		}
		if child+1 < len(c.due) && c.dueLess(child+1, child) {
			child++
		}
		if !c.dueLess(child, i) {
			return i
		}
		c.dueSwap(i, child)
		i = child
	}
}
