package simtest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
)

// action is something that waits to be let happen: a request that is to be carried out, or a watch event that is to be
// told.
type action struct {
	target
	label  string // what it is, for traces, and for the order of those that came in at once
	number int    // of the write or event, once it was let happen
	write  bool
	event  bool
	watch  bool
	method string
	status int // of the answer, once there is one
	turn   int // in which the action came in
	go_    chan order
}

// order is what is to become of an action.
type order struct {
	fault Kind // "": it is to happen
}

// schedule has one thing happen at a time. Actions wait in it until the run's own goroutine picks them, which it does
// when nothing else in the bubble can move: runs of the same plan are the same.
type schedule struct {
	arrived chan struct{} // one token while something may have come in

	mu      sync.Mutex
	turn    int
	waiting []*action
}

func newSchedule() *schedule { return &schedule{arrived: make(chan struct{}, 1)} }

// wait has a wait for its order, or until one of the channels is closed (ok is false).
func (s *schedule) wait(a *action, over, gone <-chan struct{}) (o order, ok bool) {
	a.go_ = make(chan order, 1)
	s.mu.Lock()
	a.turn = s.turn
	s.waiting = append(s.waiting, a)
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default: // whoever takes the token sees this one, too
	}
	select {
	case o = <-a.go_:
		return o, true
	case <-over:
	case <-gone:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(o *action) bool { return o == a })
	return order{}, false
}

// pick takes the action that is next: events before requests, so that caches are as fresh as they can be, then in the
// order in which they came in. With a source of randomness it is any. nil: none of those that may.
func (s *schedule) pick(random *rand.Rand, may func(*action) bool) *action {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	slices.SortStableFunc(s.waiting, func(a, b *action) int {
		return cmp.Or(compareBool(b.event, a.event), cmp.Compare(a.turn, b.turn), cmp.Compare(a.label, b.label))
	})
	var able []*action
	for _, a := range s.waiting {
		if may(a) {
			able = append(able, a)
		}
	}
	if len(able) == 0 {
		return nil
	}
	next := able[0]
	if random != nil {
		next = able[random.IntN(len(able))]
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(a *action) bool { return a == next })
	return next
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
