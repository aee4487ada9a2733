package memory

import (
	"container/heap"
	"sync"
	"time"
)

// expiry removes keys whose time is over: a heap of deadlines and one timer. Its fields are guarded by Store.mu.
type expiry struct {
	due     deadlines
	timer   *time.Timer
	running sync.WaitGroup // of the timer's function
}

type deadline struct {
	at  time.Time
	key string
}

// add requires Store.mu.
func (e *expiry) add(s *Store, key string, at time.Time) {
	heap.Push(&e.due, deadline{at, key})
	if e.due[0].key == key && e.due[0].at.Equal(at) {
		e.arm(s)
	}
}

// arm sets the timer to the first deadline; it requires Store.mu.
func (e *expiry) arm(s *Store) {
	e.stop()
	if len(e.due) == 0 || s.closed {
		return
	}
	e.running.Add(1)
	e.timer = time.AfterFunc(time.Until(e.due[0].at), func() {
		defer e.running.Done()
		s.expire()
	})
}

// stop requires Store.mu.
func (e *expiry) stop() {
	if e.timer != nil && e.timer.Stop() {
		e.running.Done()
	}
	e.timer = nil
}

// expire removes what is due. A key that was written again since has another deadline, or none.
func (s *Store) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	now := time.Now()
	for len(s.expiry.due) > 0 && !s.expiry.due[0].at.After(now) {
		d := heap.Pop(&s.expiry.due).(deadline)
		if v := s.versionAt(d.key, s.revision); v != nil && v.expires.Equal(d.at) {
			s.remove(v)
		}
	}
	s.expiry.timer = nil
	s.expiry.arm(s)
}

type deadlines []deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(deadline)) }
func (d *deadlines) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}
