package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
)

// Options of a Manager.
type Options struct {
	// Scheme knows the typed objects. Required where there are some.
	Scheme *kruntime.Scheme
	// FieldOwner of writes that name none.
	FieldOwner string

	// Namespaces narrow the caches. Default: all.
	Namespaces []string
	// Kinds are cached in a way of their own, by group and kind: uncached, narrowed, compact.
	Kinds map[schema.GroupKind]CacheOptions
	// Budget that all caches share; see informer.NewBudget. nil: none.
	Budget *informer.Budget

	// Address to serve Handler on, as HOST:PORT. Default: nowhere.
	Address string
	// Pprof serves /debug/pprof on Address as well.
	Pprof bool
	// LeaderElection runs its function while this process leads; controllers run within, again each time that it leads.
	// Default: at once. (*leaderelection.Elector).Run is one.
	LeaderElection func(ctx context.Context, lead func(ctx context.Context) error) error
	// Shards has controllers work on those requests only that belong to this process; see package runtime/shards, whose
	// Member is one. Default: on all.
	Shards Shards
	// GracefulShutdownTimeout is how long reconciliations under way have when Run is to end, before their
	// contexts do. Default: 30 s; negative: none.
	GracefulShutdownTimeout time.Duration
	// History is how many of its latest reconciliations each controller remembers, with their causes. Default: 128;
	// negative: none.
	History int
	// Tracer makes spans of reconciliations and requests. nil: nobody does.
	Tracer Tracer
	Logger logr.Logger
}

// Manager runs controllers over shared caches.
type Manager struct {
	home  *Cluster
	opts  Options
	log   logr.Logger
	ready atomic.Bool
	// indexes that IndexField has named.
	indexes fieldIndexes
	below   errgroup.Group // the caches

	mu          sync.Mutex
	ran, over   bool
	ctx         context.Context //nolint:containedctx // of the caches, for clusters that join; nil before Run
	clusters    map[string]*Cluster
	controllers []*Controller
	runnables   []runnable
	checks      map[string]map[string]Check // by path, by name
	metrics     []func(io.Writer)
	// start runs a controller, by whether it is one of those that run while this process leads; nil while it may not.
	start map[bool]func(*Controller)
}

// Runnable is anything else that a manager is to run: it returns when ctx ends. An error ends the manager.
type Runnable func(ctx context.Context) error

type runnable struct {
	run  Runnable
	lead bool
}

// Check says whether something is well.
type Check func(*http.Request) error

// New makes a Manager. It starts nothing and sends nothing.
func New(cfg client.Config, opts Options) (*Manager, error) {
	if opts.GracefulShutdownTimeout == 0 {
		opts.GracefulShutdownTimeout = 30 * time.Second
	}
	if opts.History == 0 {
		opts.History = 128
	}
	if opts.Logger.GetSink() == nil {
		opts.Logger = logr.Discard()
	}
	m := &Manager{opts: opts, log: opts.Logger, clusters: map[string]*Cluster{}, checks: map[string]map[string]Check{}, start: map[bool]func(*Controller){}}
	home, err := m.newCluster("", cfg)
	if err != nil {
		return nil, err
	}
	m.home, m.clusters[""] = home, home
	return m, nil
}

func (m *Manager) recovers(err error) { m.log.V(1).Info("a cache recovers", "reason", err.Error()) }

// Client reads from the caches while Run runs, and writes to the server. What it has written, it reads.
func (m *Manager) Client() client.Client { return m.home.client }

// Direct reads from the server, too.
func (m *Manager) Direct() *client.Direct { return m.home.direct }

// EventRecorder has a controller tell users what it does, by Events about its objects; see package runtime/events. They are
// written while Run runs, and what waits before it returns.
func (m *Manager) EventRecorder(controller string) *events.Recorder {
	return m.home.EventRecorder(controller)
}

// Scheme of the typed objects.
func (m *Manager) Scheme() *kruntime.Scheme { return m.home.direct.Scheme() }

// Logger of the manager.
func (m *Manager) Logger() logr.Logger { return m.log }

// Add has the manager run r: as soon as the caches do, or where it is to lead (leader is set), while this process leads.
// Error: the manager runs already.
func (m *Manager) Add(r Runnable, leader bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ran {
		return errors.New("runtime: Manager.Add: the manager runs")
	}
	m.runnables = append(m.runnables, runnable{r, leader})
	return nil
}

// AddHealthzCheck adds what /healthz is to find well.
func (m *Manager) AddHealthzCheck(name string, c Check) { m.addCheck("/healthz", name, c) }

// AddReadyzCheck adds what /readyz is to find well.
func (m *Manager) AddReadyzCheck(name string, c Check) { m.addCheck("/readyz", name, c) }

func (m *Manager) addCheck(path, name string, c Check) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.checks[path] == nil {
		m.checks[path] = map[string]Check{}
	}
	m.checks[path][name] = c
}

// AddMetrics has write add to what /metrics serves, in the text format of Prometheus, whenever that is asked for. A
// registry of Prometheus' is written by expfmt; webhook.Server and leaderelection.Elector have a WriteMetrics.
func (m *Manager) AddMetrics(write func(w io.Writer)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.metrics = append(m.metrics, write)
}

// add takes a controller in, and starts it where others run.
func (m *Manager) add(c *Controller) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.controllers, func(o *Controller) bool { return o.name == c.name }) {
		return fmt.Errorf("runtime: there is a controller %s; give this one another name", c.name)
	}
	m.controllers = append(m.controllers, c)
	if start := m.start[c.leads()]; start != nil {
		start(c)
	}
	return nil
}

// Remove stops a controller and returns when its reconciliations have ended; kinds that nobody else watches are watched
// no more. One that is not there is ignored. A controller must not remove itself from within a reconciliation.
func (m *Manager) Remove(c *Controller) {
	m.mu.Lock()
	at := slices.Index(m.controllers, c)
	if at < 0 {
		m.mu.Unlock()
		return
	}
	m.controllers = slices.Delete(m.controllers, at, at+1)
	m.mu.Unlock()
	c.end()
}

func (m *Manager) list() []*Controller {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.controllers)
}

// Run runs the caches, then what Add was given, then, while this process leads, the controllers (those of EveryReplica at
// once); until ctx ends, when it lets reconciliations finish. It returns when all its goroutines have ended: nil where ctx ended, else what ended it. It
// may be called once.
func (m *Manager) Run(ctx context.Context) error {
	// Caches outlive controllers, whose last reconciliations read them.
	caches, stopCaches := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCaches()
	m.mu.Lock()
	if m.ran {
		m.mu.Unlock()
		return errors.New("runtime: Manager.Run was called before")
	}
	m.ran, m.ctx = true, caches
	for _, c := range m.clusters {
		m.runCluster(c)
	}
	m.mu.Unlock()

	group, ctx := errgroup.WithContext(ctx)
	if m.opts.Address != "" {
		group.Go(func() error { return m.serve(ctx) })
	}
	if m.opts.Shards != nil {
		group.Go(func() error { return m.opts.Shards.Run(ctx) })
	}
	group.Go(func() error { return m.work(ctx, false, func() {}) })
	group.Go(func() error {
		lead := func(ctx context.Context) error { return m.work(ctx, true, func() { m.ready.Store(true) }) }
		if m.opts.LeaderElection == nil {
			return lead(ctx)
		}
		m.ready.Store(true) // to stand by is to be ready
		return m.opts.LeaderElection(ctx, lead)
	})
	err := group.Wait()
	m.mu.Lock()
	m.over = true
	m.mu.Unlock()
	stopCaches()
	return errors.Join(err, m.below.Wait())
}

// work runs the controllers, and what is to run with them, that are for who leads, or those that are for everyone.
func (m *Manager) work(ctx context.Context, leading bool, started func()) error {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		if m.opts.GracefulShutdownTimeout < 0 {
			cancel(errShutdown)
			return
		}
		time.AfterFunc(m.opts.GracefulShutdownTimeout, func() { cancel(errShutdown) })
	})
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { // while it waits, controllers may be added
		<-ctx.Done()
		m.mu.Lock()
		delete(m.start, leading)
		m.mu.Unlock()
		return nil
	})
	for _, r := range m.runnables {
		if r.lead == leading {
			group.Go(func() error { return ended(ctx, r.run(ctx)) })
		}
	}
	m.mu.Lock()
	m.start[leading] = func(c *Controller) {
		run := c.begin(ctx, work)
		group.Go(run)
	}
	for _, c := range m.controllers {
		if c.leads() == leading {
			m.start[leading](c)
		}
	}
	m.mu.Unlock()
	started()
	return group.Wait()
}

// errShutdown is the cause that reconciliations see in a context that ended because the manager stops.
var errShutdown = errors.New("runtime: the manager stops")

func (m *Manager) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", m.opts.Address)
	if err != nil {
		return fmt.Errorf("runtime: Options.Address: %w", err)
	}
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
