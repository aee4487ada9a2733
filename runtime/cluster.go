package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
)

// Cluster is a server, and what a manager keeps of it. A manager has one of its own, and others may join and leave.
type Cluster struct {
	name     string
	direct   *client.Direct
	client   *cachedClient
	cache    *cache
	events   *events.Writer
	requests *requestStats

	ctx  context.Context //nolint:containedctx // ends when the cluster leaves or the manager stops; nil before it runs
	stop context.CancelFunc
	done chan struct{} // closed when the caches have ended

	hush context.CancelFunc // ends the writing of events, once what waits is written; nil before it runs
	told chan struct{}      // closed when it has ended
}

func (m *Manager) newCluster(name string, cfg client.Config) (*Cluster, error) {
	o := &m.opts
	requests := newRequestStats()
	d, err := client.New(tracing(requests.counting(cfg), o.Tracer), client.Options{Scheme: o.Scheme, FieldOwner: o.FieldOwner})
	if err != nil {
		return nil, err
	}
	c := &Cluster{name: name, direct: d, requests: requests, cache: newCache(d, o, &m.indexes, m.recovers)}
	c.client = &cachedClient{Direct: d, cache: c.cache}
	c.events = events.New(d, events.Options{
		FlushTimeout: min(flushEvents, o.GracefulShutdownTimeout),
		OnError:      func(err error) { m.log.Error(err, "users are not told of something", "cluster", name) },
	})
	return c, nil
}

// Name under which it joined; "" for the manager's own.
func (c *Cluster) Name() string { return c.name }

// Client reads from the caches while the manager runs, and writes to the server. What it has written, it reads.
func (c *Cluster) Client() client.Client { return c.client }

// Direct reads from the server, too.
func (c *Cluster) Direct() *client.Direct { return c.direct }

// EventRecorder is Manager.EventRecorder for objects of this cluster.
func (c *Cluster) EventRecorder(controller string) *events.Recorder {
	return c.events.Recorder(controller)
}

// flushEvents is how long events may take to be written when a cluster leaves or the manager stops.
const flushEvents = 5 * time.Second

// CacheReport tells of the caches in use, those that take most memory first.
func (c *Cluster) CacheReport() []informer.Report {
	var all []informer.Report
	for _, s := range c.cache.shared {
		all = append(all, s.Report()...)
	}
	slices.SortStableFunc(all, func(a, b informer.Report) int { return int(b.Bytes - a.Bytes) })
	return all
}

type clientKey struct{}

// ClientFrom returns the client for the cluster of the reconciliation whose context ctx is, or of the event whose
// EventHandler was given it; nil outside of any.
func ClientFrom(ctx context.Context) client.Client {
	if r, _ := ctx.Value(causesKey{}).(*running); r != nil {
		return r.client
	}
	if c, _ := ctx.Value(clientKey{}).(*cachedClient); c != nil {
		return c
	}
	return nil
}

// ErrGone says that a cluster has left the manager, or never joined it.
var ErrGone = errors.New("runtime: there is no such cluster")

// Join has the manager watch another cluster under a name, from now on if it runs: the controllers that were built with
// EveryCluster get requests with that name in Request.Cluster. Error: the name is taken or empty, or cfg makes no sense;
// that the server answers is not waited for.
func (m *Manager) Join(name string, cfg client.Config) (*Cluster, error) {
	c, err := m.newCluster(name, cfg)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return nil, errors.New("runtime: Manager.Join: the manager has stopped")
	}
	if m.clusters[name] != nil {
		return nil, fmt.Errorf("runtime: there is a cluster %q already; the name \"\" is the manager's own", name)
	}
	m.clusters[name] = c
	if m.ctx != nil {
		m.runCluster(c)
	}
	return c, nil
}

// Leave ends the watches on a cluster, drops its requests, and returns when the reconciliations of its objects that are
// under way, whose contexts end, are through, and what they have told users is written (for 5 seconds at most). Error:
// ErrGone.
func (m *Manager) Leave(name string) error {
	m.mu.Lock()
	c := m.clusters[name]
	if c == nil || name == "" {
		m.mu.Unlock()
		return fmt.Errorf("%w: %q", ErrGone, name)
	}
	delete(m.clusters, name)
	controllers := slices.Clone(m.controllers)
	m.mu.Unlock()
	if c.ctx == nil {
		return nil
	}
	c.stop()
	<-c.done
	for _, one := range controllers {
		one.awaitCluster(name)
	}
	c.hush()
	<-c.told
	return nil
}

// Cluster returns the one of that name, "" for the manager's own. Error: ErrGone.
func (m *Manager) Cluster(name string) (*Cluster, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.clusters[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrGone, name)
}

// engageAll has a controller watch the clusters that have joined.
func (m *Manager) engageAll(c *Controller) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, cl := range m.clusters {
		if name != "" {
			c.engage(cl)
		}
	}
}

// runCluster runs the caches of a cluster, writes its events, and has the controllers that are running watch it. It requires mu, and a
// manager that runs.
func (m *Manager) runCluster(c *Cluster) {
	c.ctx, c.stop = context.WithCancel(m.ctx)
	c.done = make(chan struct{})
	m.below.Go(func() error {
		defer close(c.done)
		return c.cache.run(c.ctx)
	})
	events, hush := context.WithCancel(m.ctx)
	c.hush, c.told = hush, make(chan struct{})
	m.below.Go(func() error {
		defer close(c.told)
		return c.events.Run(events)
	})
	if c.name == "" {
		return
	}
	for _, one := range m.controllers {
		one.engage(c)
	}
}
