package simtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// result is how a run ended, as far as others are compared with it.
type result struct {
	plan     Plan
	happened []bool // which of the plan's faults did
	problem  string // what is wrong whatever other runs are like
	objects  map[string]map[string]any
	created  map[string]int // how many objects of a key were made
	writes   []*occasion
	events   map[string]int // by resource
	reads    []*occasion
	touched  map[string]target // resources, by name
	trace    []string
}

// occasion is a write or a read, at which something may go wrong.
type occasion struct {
	method, label string
	step          int
	idle          bool // it changed nothing
}

// world is one run: a server, the processes that follow each other, and what is known about it.
type world struct {
	cfg    *Config
	plan   Plan
	t      testing.TB
	ctx    context.Context //nolint:containedctx // of the run, which this is
	base   client.Config
	user   client.Client
	sched  *schedule
	random *rand.Rand // nil: in order
	holds  []*hold
	trace  trace
	*process

	step      int
	began     []string // the revision before each step
	wrote     time.Time
	writes    []*occasion
	reads     []*occasion
	actions   int       // since then
	since     time.Time // the time that passed last
	restarts  int
	happened  []bool
	events    map[string]int
	conflicts map[string]string // uid by path, of what somebody else wrote into

	mu       sync.Mutex // guards what requests under way tell
	revision uint64     // the newest that an answer had
	created  map[string]map[string]bool
	touched  map[string]target
}

// process is one life of the controllers.
type process struct {
	dead   chan struct{}
	cancel context.CancelFunc
	done   chan error
}

// errOver ends a run whose problem is known.
type errOver struct{ problem string }

func (e errOver) Error() string { return e.problem }

const (
	// maxActions at one time are taken for an endless loop.
	maxActions = 5_000
	// maxQuiet is for how many times Config.Quiet a step may take.
	maxQuiet = 60
	// maxRestarts of a manager that ends by itself.
	maxRestarts = 20
)

// run runs a plan in a bubble of its own. Where that is not possible, t has failed, and the goroutine ends.
func run(t *testing.T, cfg *Config, plan Plan, log logr.Logger) (r *result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cfg, plan)
		r = w.live(log)
	})
	return r
}

func newWorld(t testing.TB, cfg *Config, plan Plan) *world {
	w := &world{
		cfg: cfg, plan: plan, t: t, ctx: t.Context(), base: cfg.New(t), sched: newSchedule(), happened: make([]bool, len(plan)),
		events: map[string]int{}, conflicts: map[string]string{}, created: map[string]map[string]bool{}, touched: map[string]target{},
	}
	for i, f := range plan {
		if f.Kind == Shuffle {
			w.random = rand.New(rand.NewPCG(uint64(f.At), 0)) //nolint:gosec // to be repeated, not to be secret
			w.happened[i] = true
		}
	}
	if w.base.Transport == nil {
		t.Fatal("simtest: Config.New has to return a configuration with a Transport: apiservertest.Start(...).Transport()")
	}
	user, err := client.New(w.base, client.Options{Scheme: cfg.Options.Scheme, FieldOwner: "simtest-user"})
	if err != nil {
		t.Fatalf("simtest: Config.New: %v", err)
	}
	w.user = user
	return w
}

// live runs the steps and looks at the end.
func (w *world) live(log logr.Logger) *result {
	r := &result{plan: w.plan}
	err := w.all(log)
	if err == nil {
		r.objects, err = w.endState()
	}
	if err == nil && w.cfg.Check != nil {
		if bad := w.cfg.Check(w.ctx, w.user); bad != nil {
			err = errOver{"Config.Check: " + bad.Error()}
		}
	}
	if err == nil {
		err = w.overwritten()
	}
	if w.process != nil {
		w.kill()
	}
	if err != nil {
		r.problem = err.Error()
	}
	r.happened, r.writes, r.reads, r.events = w.happened, w.writes, w.reads, w.events
	r.touched, r.trace = w.touched, w.trace.lines()
	r.created = map[string]int{}
	for key, uids := range w.created {
		r.created[key] = len(uids)
	}
	return r
}

func (w *world) all(log logr.Logger) error {
	if err := w.learnRevision(); err != nil {
		return err
	}
	if err := w.start(log, "", ""); err != nil {
		return err
	}
	if err := w.settle(log, false); err != nil {
		return err
	}
	for i, s := range w.cfg.Steps {
		w.step = i + 1
		w.began = append(w.began, w.newest())
		w.trace.add("-- step %d: %s", i+1, s.Name)
		err := w.do(log, s)
		if err != nil && !errors.As(err, &errOver{}) && w.holding() { // of which the user would see something first
			w.trace.add("   the step has to wait: %v", err)
			w.release(true)
			if err = w.settle(log, false); err == nil {
				err = w.do(log, s)
			}
		}
		if err != nil && !errors.As(err, &errOver{}) {
			return errOver{fmt.Sprintf("step %d (%s) failed: %v", w.step, s.Name, err)}
		} else if err != nil {
			return err
		}
		for _, h := range w.holds {
			h.steps--
		}
		w.wrote = time.Now()
		last := i == len(w.cfg.Steps)-1
		if s.Unsettled && !last {
			continue
		}
		if err := w.settle(log, !last); err != nil {
			return err
		}
	}
	return nil
}

// do takes a step, and lets things happen until it is done.
func (w *world) do(log logr.Logger, s Step) error {
	done := make(chan error, 1)
	go func() { done <- s.Do(w.ctx, w.user) }()
	for {
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			return w.learnRevision()
		default:
		}
		if moved, err := w.move(log); err != nil {
			return err
		} else if moved {
			continue
		}
		select {
		case err := <-done:
			done <- err // for the next turn
		case <-w.sched.arrived:
		}
	}
}

// settle lets things happen until nobody has written anything for long enough. With more steps to come, it ends earlier
// where events are held back until then.
func (w *world) settle(log logr.Logger, more bool) error {
	began := time.Now()
	w.wrote = began
	for {
		if err := w.calm(log); err != nil {
			return err
		}
		if w.release(!more) {
			continue
		}
		if more && w.holding() {
			return nil
		}
		left := w.cfg.Quiet - time.Since(w.wrote)
		switch {
		case left <= 0:
			return nil
		case time.Since(began) > maxQuiet*w.cfg.Quiet:
			return errOver{fmt.Sprintf("the controllers still write after %v", time.Since(began))}
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-w.sched.arrived:
		case err := <-w.done:
			w.done <- err // for move
		}
		timer.Stop()
	}
}

// calm lets things happen until nothing does without the passing of time.
func (w *world) calm(log logr.Logger) error {
	for {
		synctest.Wait()
		if moved, err := w.move(log); err != nil || !moved {
			return err
		}
	}
}

// start begins a process whose caches begin with a revision ("": the newest), or that of one resource.
func (w *world) start(log logr.Logger, old, kind string) error {
	cfg, opts := w.base, w.cfg.Options
	opts.Logger, opts.GracefulShutdownTimeout = log, -1
	opts.Address = "" // nothing in the bubble may wait for a socket
	p := &process{dead: make(chan struct{}), done: make(chan error, 1)}
	cfg.Transport = &wire{next: w.base.Transport, sched: w.sched, dead: p.dead, answered: w.answered, touch: w.touch, old: old, oldKind: kind}
	if w.cfg.Process != nil {
		if err := w.cfg.Process(cfg, &opts); err != nil {
			return errOver{"Config.Process: " + err.Error()}
		}
	}
	mgr, err := runtime.New(cfg, opts)
	if err == nil {
		err = w.cfg.Setup(mgr)
	}
	if err != nil {
		return errOver{"Config.Setup: " + err.Error()}
	}
	ctx, cancel := context.WithCancel(w.ctx)
	p.cancel = cancel
	go func() { p.done <- mgr.Run(ctx) }()
	w.process = p
	return nil
}

// kill ends the process as a crash does: nothing that it does from now on reaches the server.
func (w *world) kill() {
	close(w.dead)
	w.cancel()
	<-w.done //nolint:errcheck // a crash asks for no reason
	w.process = nil
}

// exited starts another process where the manager has ended by itself.
func (w *world) exited(log logr.Logger) (bool, error) {
	select {
	case err := <-w.done:
		w.trace.add("   the manager ended: %v", err)
		w.done <- err
		w.kill()
		if w.restarts++; w.restarts > maxRestarts {
			return false, errOver{fmt.Sprintf("the manager does not run: %v", err)}
		}
		time.Sleep(time.Second)
		return true, w.start(log, "", "")
	default:
		return false, nil
	}
}

// answered notes what a write was answered with.
func (w *world) answered(a *action, body []byte) {
	var obj struct {
		Metadata struct{ Namespace, Name, GenerateName, UID, ResourceVersion string }
	}
	if json.Unmarshal(body, &obj) != nil {
		return
	}
	m := obj.Metadata
	if a.name == "" && m.Name != "" {
		a.label = a.method + " " + a.key(m.Namespace, m.Name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if rv, err := strconv.ParseUint(m.ResourceVersion, 10, 64); err == nil {
		w.revision = max(w.revision, rv)
	}
	if a.status != http.StatusCreated || a.sub != "" || m.UID == "" || m.GenerateName != "" {
		return
	}
	key := a.key(m.Namespace, m.Name)
	if w.created[key] == nil {
		w.created[key] = map[string]bool{}
	}
	w.created[key][m.UID] = true
}

func (w *world) touch(t target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched[t.kind()] = t
}

func (w *world) newest() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strconv.FormatUint(w.revision, 10)
}

// learnRevision asks the server for its revision, past what it has written itself.
func (w *world) learnRevision() error {
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := w.get("/api/v1/namespaces?limit=1", &list); err != nil {
		return err
	}
	rv, err := strconv.ParseUint(list.Metadata.ResourceVersion, 10, 64)
	if err != nil {
		return fmt.Errorf("simtest: the server's revisions are no numbers: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revision = max(w.revision, rv)
	return nil
}

var errAbsent = errors.New("simtest: not there")

// get reads JSON from the server, past all faults.
func (w *world) get(path string, into any) error {
	return w.ask(http.MethodGet, path, nil, into)
}
