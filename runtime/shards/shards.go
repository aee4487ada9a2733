package shards

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// Config of a Member. Client (which must not read from a cache, and knows coordination.k8s.io/v1), Namespace, Name and
// Identity are required.
type Config struct {
	Client client.Client
	// Namespace of the Leases; their names begin with Name.
	Namespace, Name string
	// Identity of this replica, among all of that Name.
	Identity string
	// Shards is how many there are, at least as many as replicas; the same for all of them. Default: 16.
	Shards int
	// By is what of a request names its shard. Default: its cluster and namespace; its name, where it has no namespace.
	By func(runtime.Request) string
	// LeaseDuration is after how long of silence a replica is held for dead, RetryPeriod how often each says that it is
	// alive. Defaults: 15 s and 2 s.
	LeaseDuration, RetryPeriod time.Duration
	Logger                     logr.Logger
}

// ByName has every object in a shard of its own name.
func ByName(r runtime.Request) string { return r.String() }

func byNamespace(r runtime.Request) string {
	if r.Namespace == "" {
		return r.Cluster + "/" + r.Name
	}
	return r.Cluster + "/" + r.Namespace
}

// Member is one replica. It implements runtime.Shards.
type Member struct {
	cfg    Config
	ledger *ledger
	owned  atomic.Pointer[[]bool] // by shard: requests are taken
	poke   chan struct{}          // has a token when a round should not wait for the next tick

	mu     sync.Mutex
	shards []shard
	gain   map[int]func() // see OnGain
	next   int
}

// shard is what this replica knows of one that it holds.
type shard struct {
	held     bool // its Lease is ours
	draining bool // it is to be given up when work has ended
	epoch    int32
	working  int
	ctx      context.Context //nolint:containedctx // of the work; ends when the shard is lost
	lose     context.CancelCauseFunc
}

var _ runtime.Shards = (*Member)(nil)

// ErrLost is the cause that work sees in its context where its shard could not be held.
var ErrLost = errors.New("shards: the lease could not be kept")

// New makes a Member. It starts nothing.
func New(cfg Config) (*Member, error) {
	if cfg.Client == nil || cfg.Name == "" || cfg.Namespace == "" || cfg.Identity == "" {
		return nil, errors.New("shards: Client, Namespace, Name and Identity are required")
	}
	if cfg.Shards == 0 {
		cfg.Shards = 16
	}
	if cfg.By == nil {
		cfg.By = byNamespace
	}
	if cfg.LeaseDuration == 0 {
		cfg.LeaseDuration = 15 * time.Second
	}
	if cfg.RetryPeriod == 0 {
		cfg.RetryPeriod = 2 * time.Second
	}
	if cfg.Logger.GetSink() == nil {
		cfg.Logger = logr.Discard()
	}
	if cfg.Shards < 0 || cfg.RetryPeriod <= 0 || cfg.LeaseDuration < 3*cfg.RetryPeriod {
		return nil, fmt.Errorf("shards: want Shards > 0 and LeaseDuration of at least three RetryPeriods, have %d, %v and %v",
			cfg.Shards, cfg.LeaseDuration, cfg.RetryPeriod)
	}
	m := &Member{cfg: cfg, ledger: newLedger(cfg), shards: make([]shard, cfg.Shards), gain: map[int]func(){}, poke: make(chan struct{}, 1)}
	m.publish()
	return m, nil
}

// Shard is the index of the one that a request is in.
func (m *Member) Shard(req runtime.Request) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m.cfg.By(req)))
	return int(h.Sum64() % uint64(len(m.shards))) //nolint:gosec // there are few
}

// Owned are the shards whose requests this replica takes, in order.
func (m *Member) Owned() (shards []int) {
	for i, owned := range *m.owned.Load() {
		if owned {
			shards = append(shards, i)
		}
	}
	return shards
}

// Owns implements runtime.Shards.
func (m *Member) Owns(req runtime.Request) bool { return (*m.owned.Load())[m.Shard(req)] }

// OnGain implements runtime.Shards.
func (m *Member) OnGain(f func()) (remove func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.next
	m.next++
	m.gain[id] = f
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.gain, id)
	}
}

type epochKey struct{}

// Epoch of the shard that the reconciliation is for whose context ctx is; 0 outside of any.
func Epoch(ctx context.Context) int32 {
	e, _ := ctx.Value(epochKey{}).(int32)
	return e
}

// Hold implements runtime.Shards.
func (m *Member) Hold(ctx context.Context, req runtime.Request) (held context.Context, release func(), ok bool) {
	i := m.Shard(req)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.shards[i]
	if !s.held || s.draining {
		return nil, nil, false
	}
	s.working++
	held, cancel := context.WithCancelCause(context.WithValue(ctx, epochKey{}, s.epoch))
	lost := s.ctx
	stop := context.AfterFunc(lost, func() { cancel(context.Cause(lost)) })
	return held, sync.OnceFunc(func() {
		stop()
		cancel(nil)
		m.mu.Lock()
		defer m.mu.Unlock()
		if s.working--; s.working == 0 && (s.draining || !s.held) {
			select {
			case m.poke <- struct{}{}:
			default: // one is enough
			}
		}
	}), true
}

// publish tells Owns what is owned. It requires mu, or a Member that nobody has yet.
func (m *Member) publish() {
	owned := make([]bool, len(m.shards))
	for i := range m.shards {
		owned[i] = m.shards[i].held && !m.shards[i].draining
	}
	m.owned.Store(&owned)
}

// Run implements runtime.Shards. When ctx ends it takes no more requests, waits for the work under way, and lets go of
// its shards. It may be called again after it has returned.
func (m *Member) Run(ctx context.Context) error {
	background := context.WithoutCancel(ctx)
	deadline := time.AfterFunc(m.cfg.LeaseDuration, m.loseAll)
	defer deadline.Stop()
	tick := time.NewTicker(m.cfg.RetryPeriod)
	defer tick.Stop()
	done := ctx.Done()
	for leaving := false; ; {
		m.round(background, deadline, leaving)
		if leaving && !m.holdsAny() {
			break
		}
		select {
		case <-tick.C:
		case <-m.poke:
		case <-done:
			leaving, done = true, nil
		}
	}
	last, cancel := context.WithTimeout(background, m.cfg.RetryPeriod)
	defer cancel()
	if err := m.ledger.leave(last); err != nil {
		m.cfg.Logger.Info("The lease could not be removed; it runs out by itself", "reason", err.Error())
	}
	return nil
}

func (m *Member) holdsAny() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.shards, func(s shard) bool { return s.held })
}

// loseAll ends the work in all shards: the Lease may be another's view of the dead by now.
func (m *Member) loseAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.shards {
		m.lose(&m.shards[i])
	}
}

// lose ends the work in a shard, which is no longer ours. It requires mu.
func (m *Member) lose(s *shard) {
	if s.held {
		s.lose(ErrLost)
		s.held, s.draining = false, false
		m.publish()
	}
}

// round says that this replica is alive, looks who else is, and takes and lets go of shards accordingly. deadline is when
// it has to lose all that it holds, unless another round goes well before.
func (m *Member) round(ctx context.Context, deadline *time.Timer, leaving bool) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.RetryPeriod)
	defer cancel()
	began := time.Now()
	view, err := m.ledger.heartbeat(ctx, began, leaving)
	if err != nil {
		m.cfg.Logger.Info("The leases could not be kept; they are tried again", "reason", err.Error())
		return
	}
	deadline.Reset(time.Until(began.Add(m.cfg.LeaseDuration - m.cfg.RetryPeriod/2)))
	owners := assign(view.candidates, len(m.shards))
	gained := false
	for i := range m.shards {
		mine := owners[i] == m.cfg.Identity && !leaving
		gained = m.move(ctx, i, mine, view) || gained
	}
	if !gained {
		return
	}
	m.mu.Lock()
	told := slices.Collect(maps.Values(m.gain))
	m.mu.Unlock()
	for _, f := range told {
		f()
	}
}

// move brings one shard nearer to where it should be. It reports whether requests of it are taken now and were not
// before.
func (m *Member) move(ctx context.Context, i int, mine bool, view *view) (gained bool) {
	m.mu.Lock()
	s := &m.shards[i]
	if s.held && view.owner(i) != m.cfg.Identity {
		m.lose(s) // somebody held us for dead
	}
	if s.held && s.draining == mine { // it is to go, or need not go after all
		s.draining, gained = !mine, mine
		m.publish()
	}
	held, idle := s.held, s.working == 0
	m.mu.Unlock()
	switch {
	case held && !mine && idle:
		m.release(ctx, i)
	case !held && mine && idle && view.free(i): // work in a shard that was lost has to end first
		return m.take(ctx, i)
	}
	return gained
}

func (m *Member) release(ctx context.Context, i int) {
	if err := m.ledger.write(ctx, i, ""); err != nil {
		m.cfg.Logger.Info("A shard could not be let go; it is tried again", "shard", i, "reason", err.Error())
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shards[i].held, m.shards[i].draining = false, false
	m.cfg.Logger.V(1).Info("A shard was let go", "shard", i)
}

func (m *Member) take(ctx context.Context, i int) bool {
	if err := m.ledger.write(ctx, i, m.cfg.Identity); err != nil {
		m.cfg.Logger.V(1).Info("A shard could not be taken; it is tried again", "shard", i, "reason", err.Error())
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.shards[i]
	s.held, s.draining, s.epoch = true, false, m.ledger.epoch(i)
	s.ctx, s.lose = context.WithCancelCause(context.Background())
	m.publish()
	m.cfg.Logger.V(1).Info("A shard was taken", "shard", i, "epoch", s.epoch)
	return true
}
