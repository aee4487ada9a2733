package watchcache

import (
	"sort"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// ring is a window of changes in order of revision. Each change has a sequence number, which never changes
// while it is in the ring: a watcher's position is the number of the next change that it will read. The ring
// grows as needed; who owns it bounds it.
type ring struct {
	// floor: every change after it is in the ring, or was never of interest to it.
	floor storage.Revision
	wake  chan struct{} // closed and dropped at the next push; nil while nobody waits

	slots []*change // length zero or a power of two
	first uint64    // sequence number of the oldest; slot = number modulo length
	n     int
}

// firstNumber leaves room for unshift.
const firstNumber = 1 << 40

func newRing(floor storage.Revision) *ring { return &ring{floor: floor, first: firstNumber} }

// end is the number that the next change will have.
func (r *ring) end() uint64 { return r.first + uint64(r.n) }

func (r *ring) at(number uint64) *change { return r.slots[number&uint64(len(r.slots)-1)] }

// after returns the number of the first change with a revision above rev.
func (r *ring) after(rev storage.Revision) uint64 {
	if r.n == 0 || r.at(r.end()-1).rev <= rev {
		return r.end()
	}
	return r.first + uint64(sort.Search(r.n, func(i int) bool { return r.at(r.first+uint64(i)).rev > rev }))
}

func (r *ring) push(c *change) {
	r.grow()
	r.slots[r.end()&uint64(len(r.slots)-1)] = c
	r.n++
}

// unshift puts older changes before the first one, and lowers the floor.
func (r *ring) unshift(older []*change, floor storage.Revision) {
	for i := len(older) - 1; i >= 0; i-- {
		r.grow()
		r.first--
		r.n++
		r.slots[r.first&uint64(len(r.slots)-1)] = older[i]
	}
	r.floor = floor
}

// pop forgets the oldest change.
func (r *ring) pop() *change {
	slot := r.first & uint64(len(r.slots)-1)
	c := r.slots[slot]
	r.slots[slot] = nil
	r.first++
	r.n--
	r.floor = c.rev
	return c
}

// grow makes room for one more.
func (r *ring) grow() {
	if r.n < len(r.slots) {
		return
	}
	slots := make([]*change, max(8, 2*len(r.slots)))
	for number := r.first; number < r.end(); number++ {
		slots[number&uint64(len(slots)-1)] = r.at(number)
	}
	r.slots = slots
}

// clear forgets everything up to floor. A watcher whose position is not at the end has lost changes that way.
func (r *ring) clear(floor storage.Revision) {
	r.first, r.n, r.slots, r.floor = r.end(), 0, nil, floor
}

// breakOff clears the ring, and makes every position in it one of which something was lost: by skipping a
// number.
func (r *ring) breakOff(floor storage.Revision) {
	r.clear(floor)
	r.first++
}
