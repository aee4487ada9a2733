package workqueue

import (
	"hash/maphash"
	"time"
)

// table finds the slot of a key: open addressing with linear probing, by a hash that the entry keeps, so that only an
// Add ever hashes its key, once. (A map hashes it for each of lookup, insertion and deletion, and holds it again.)
type table struct {
	cells []tableCell // a power of two, at most half of them used
	used  int
}

// tableCell is unused where slot is zero.
type tableCell struct {
	hash uint32
	slot int32 // plus one
}

// An empty queue lets go of more than roomy slots, of which a quarter has not been in use for keptFor.
const (
	roomy   = 1024
	keptFor = int64(time.Minute)
)

// lookup returns the slot of key, or none.
func (c *core[K]) lookup(key K) int32 {
	if c.table.used == 0 {
		return none
	}
	at, _ := c.probe(key, uint32(maphash.Comparable(c.seed, key)))
	return at
}

// probe returns the slot of key, and otherwise none and the cell where it would be.
func (c *core[K]) probe(key K, hash uint32) (at int32, cell uint32) {
	mask := uint32(len(c.table.cells) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		cell := c.table.cells[i]
		if cell.slot == 0 {
			return none, i
		}
		if cell.hash == hash && c.slots[cell.slot-1].key == key {
			return cell.slot - 1, i
		}
	}
}

// find returns the slot of key, a new one where it has none.
func (c *core[K]) find(key K, now int64) int32 {
	if c.table.used*2 >= len(c.table.cells) {
		c.table.grow()
	}
	hash := uint32(maphash.Comparable(c.seed, key))
	at, cell := c.probe(key, hash)
	if at != none {
		return at
	}
	at = c.free
	if at == none {
		at = int32(len(c.slots))
		c.slots = append(c.slots, entry[K]{})
		if c.groups != nil {
			c.groups.members = append(c.groups.members, member{})
		}
	} else {
		c.free = c.slots[at].next
	}
	e := &c.slots[at]
	e.key, e.hash, e.state, e.pos = key, hash, idle, none
	c.table.cells[cell] = tableCell{hash, at + 1}
	c.table.used++
	if c.table.used > len(c.slots)/4 {
		c.neededAt = now
	}
	return at
}

// release frees a slot of which nothing need be kept.
func (c *core[K]) release(at int32, now int64) {
	e := &c.slots[at]
	if e.state != idle || e.failures > 0 {
		return
	}
	c.table.remove(e.hash, at)
	var zero K
	e.key, e.next = zero, c.free
	c.free = at
	if c.table.used == 0 && len(c.slots) > roomy && now-c.neededAt > keptFor {
		c.slots, c.free, c.table.cells = nil, none, nil // a flood is over
		if c.groups != nil {
			c.groups.members = nil
		}
	}
}

func (t *table) grow() {
	old := t.cells
	t.cells = make([]tableCell, max(16, 2*len(old)))
	mask := uint32(len(t.cells) - 1)
	for _, cell := range old {
		if cell.slot != 0 {
			i := cell.hash & mask
			for t.cells[i].slot != 0 {
				i = (i + 1) & mask
			}
			t.cells[i] = cell
		}
	}
}

// remove frees the cell of a slot, and moves those that were put behind it for want of a place.
func (t *table) remove(hash uint32, at int32) {
	mask := uint32(len(t.cells) - 1)
	i := hash & mask
	for t.cells[i].slot != at+1 {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.cells[j].slot != 0; j = (j + 1) & mask {
		if home := t.cells[j].hash & mask; (j-home)&mask >= (j-i)&mask {
			t.cells[i] = t.cells[j]
			i = j
		}
	}
	t.cells[i] = tableCell{}
	t.used--
}
