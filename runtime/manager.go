package runtime

import (
	"context"
	"errors"
	"fmt"
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

	"github.com/keelson-project/keelson/runtime/client"
)

// Options of a Manager.
type Options struct {
	// Scheme knows the typed objects. Required where there are some.
	Scheme *kruntime.Scheme
	// Namespace narrows the caches to one namespace. Default: all.
	Namespace string
	// FieldOwner of writes that name none.
	FieldOwner string
	// Uncached kinds are always read from the server, such as Secrets where one reads few of many.
	Uncached []schema.GroupVersionKind
	// Address to serve Handler on, as HOST:PORT. Default: nowhere.
	Address string
	// LeaderElection runs its function while this process leads; controllers run within. Default: at once.
	// (*leaderelection.Elector).Run is one.
	LeaderElection func(ctx context.Context, lead func(ctx context.Context) error) error
	// GracefulShutdownTimeout is how long reconciliations under way have when Run is to end, before their
	// contexts do. Default: 30 s; negative: none.
	GracefulShutdownTimeout time.Duration
	Logger                  logr.Logger
}

// Manager runs controllers over shared caches.
type Manager struct {
	direct *client.Direct
	client *cachedClient
	cache  *cache
	opts   Options
	log    logr.Logger
	ready  atomic.Bool

	mu          sync.Mutex
	running     bool
	controllers []*Controller
}

// New makes a Manager. It starts nothing and sends nothing.
func New(cfg client.Config, opts Options) (*Manager, error) {
	d, err := client.New(cfg, client.Options{Scheme: opts.Scheme, FieldOwner: opts.FieldOwner})
	if err != nil {
		return nil, err
	}
	if opts.GracefulShutdownTimeout == 0 {
		opts.GracefulShutdownTimeout = 30 * time.Second
	}
	m := &Manager{direct: d, opts: opts, log: opts.Logger}
	m.cache = newCache(d, opts.Namespace, func(err error) { m.log.V(1).Info("a cache recovers", "reason", err.Error()) })
	uncached := map[schema.GroupVersionKind]bool{}
	for _, gvk := range opts.Uncached {
		uncached[gvk] = true
	}
	m.client = &cachedClient{Direct: d, cache: m.cache, uncached: uncached}
	return m, nil
}

// Client reads from the caches while Run runs, and writes to the server.
func (m *Manager) Client() client.Client { return m.client }

// Direct reads from the server, too.
func (m *Manager) Direct() *client.Direct { return m.direct }

// Scheme of the typed objects.
func (m *Manager) Scheme() *kruntime.Scheme { return m.direct.Scheme() }

func (m *Manager) add(c *Controller) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running {
		return fmt.Errorf("runtime: controller %s: the manager runs", c.name)
	}
	if slices.ContainsFunc(m.controllers, func(o *Controller) bool { return o.name == c.name }) {
		return fmt.Errorf("runtime: there is a controller %s; give this one another name", c.name)
	}
	m.controllers = append(m.controllers, c)
	return nil
}

func (m *Manager) list() []*Controller {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.controllers)
}

// Run runs the caches and the controllers until ctx ends, then lets reconciliations finish. It returns when all its
// goroutines have ended: nil where ctx ended, else what ended it. It may be called once.
func (m *Manager) Run(ctx context.Context) error {
	m.mu.Lock()
	ran := m.running
	m.running = true
	m.mu.Unlock()
	if ran {
		return errors.New("runtime: Manager.Run was called before")
	}
	// Caches outlive controllers, whose last reconciliations read them.
	caches, stopCaches := context.WithCancel(context.WithoutCancel(ctx))
	var below errgroup.Group
	below.Go(func() error { return m.cache.run(caches) })

	group, ctx := errgroup.WithContext(ctx)
	if m.opts.Address != "" {
		group.Go(func() error { return m.serve(ctx) })
	}
	group.Go(func() error {
		if m.opts.LeaderElection == nil {
			return m.runControllers(ctx)
		}
		m.ready.Store(true) // to stand by is to be ready
		return m.opts.LeaderElection(ctx, m.runControllers)
	})
	err := group.Wait()
	stopCaches()
	return errors.Join(err, below.Wait())
}

func (m *Manager) runControllers(ctx context.Context) error {
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
	for _, c := range m.list() {
		group.Go(func() error { return c.run(ctx, work) })
	}
	m.ready.Store(true)
	group.Go(func() error {
		<-ctx.Done()
		return nil
	})
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
