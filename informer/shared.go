package informer

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Shared is a set of informers that are used by several parties: one for each Scope and type of objects (T, and where
// that is an interface what Config.New makes), which runs while somebody has it.
type Shared struct {
	source Source
	poke   chan struct{} // one token while there is something to start

	mu      sync.Mutex
	uses    map[sharedKey]*use
	running bool
}

type sharedKey struct {
	scope  Scope
	object reflect.Type
	made   reflect.Type // by Config.New; nil where there is none
}

// use is an informer and how many have it.
type use struct {
	informer interface {
		Run(context.Context) error
		Report() Report
	}
	count int
	stop  context.CancelFunc // nil until it is started
}

// NewShared makes an empty set over a source. It starts nothing.
func NewShared(source Source) *Shared {
	return &Shared{source: source, poke: make(chan struct{}, 1), uses: map[sharedKey]*use{}}
}

// Run runs the informers that are acquired, until ctx ends; it returns nil when all its goroutines have ended.
// One call at a time.
func (s *Shared) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return errors.New("informer: the shared set is running")
	}
	s.running = true
	s.mu.Unlock()
	var workers sync.WaitGroup
	for {
		s.mu.Lock()
		for _, u := range s.uses {
			if u.stop == nil && ctx.Err() == nil {
				var one context.Context
				one, u.stop = context.WithCancel(ctx)
				workers.Go(func() { _ = u.informer.Run(one) })
			}
		}
		s.mu.Unlock()
		select {
		case <-s.poke:
			continue
		case <-ctx.Done():
		}
		break
	}
	workers.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	return nil
}

// Acquire returns the informer of s for cfg.Scope and T, made of cfg (with the set's Source) if nobody has it
// now; whoever comes second gets the first one's configuration. It starts on first use, once s runs, and stops
// when the last user has called release; calling release twice is harmless. Handlers are to be removed by those
// who added them.
func Acquire[T Object](s *Shared, cfg Config[T]) (informer *Informer[T], release func()) {
	cfg.Source = s.source
	key := sharedKey{scope: cfg.Scope, object: reflect.TypeFor[T]()}
	if cfg.New != nil {
		key.made = reflect.TypeOf(cfg.New())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uses[key]
	if u == nil {
		u = &use{informer: New(cfg)}
		s.uses[key] = u
		select {
		case s.poke <- struct{}{}:
		default: // Run looks at all of them anyway
		}
	}
	u.count++
	return u.informer.(*Informer[T]), sync.OnceFunc(func() { s.release(key, u) })
}

func (s *Shared) release(key sharedKey, u *use) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.count--; u.count > 0 {
		return
	}
	delete(s.uses, key)
	if u.stop != nil {
		u.stop()
	}
}

// Report tells how the informers are that are in use now, those that take most memory first.
func (s *Shared) Report() []Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	reports := make([]Report, 0, len(s.uses))
	for _, u := range s.uses {
		r := u.informer.Report()
		r.Users = u.count
		reports = append(reports, r)
	}
	slices.SortFunc(reports, func(a, b Report) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Scope.String(), b.Scope.String()), strings.Compare(a.Type, b.Type))
	})
	return reports
}
