package informer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
)

type object = *unstructured.Unstructured

// same compares the store with the server.
func same(t *testing.T, inf *informer.Informer[object], c *collection) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := map[string]string{}
	for o := range inf.Snapshot().List("") {
		got[o.GetNamespace()+"/"+o.GetName()] = o.GetResourceVersion()
	}
	if len(got) != len(c.objects) {
		t.Errorf("the store has %d objects, the server %d", len(got), len(c.objects))
	}
	for key, data := range c.objects {
		var o unstructured.Unstructured
		if err := o.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		if got[key] != o.GetResourceVersion() {
			t.Errorf("%s: the store has %q, the server %q", key, got[key], o.GetResourceVersion())
		}
	}
}

// mirror is what a handler believes that there is; it checks that changes follow from one another.
type mirror struct {
	t    *testing.T
	mu   sync.Mutex
	has  map[string]string // resourceVersion by name
	slow time.Duration
}

func (m *mirror) handle(c informer.Change[object]) { m.told(c.Type, c.Old, c.New) }

func (m *mirror) told(typ watch.EventType, before, now metav1.Object) {
	time.Sleep(m.slow) // virtual time
	m.mu.Lock()
	defer m.mu.Unlock()
	of := now
	if typ == watch.Deleted {
		of = before
	}
	key := of.GetNamespace() + "/" + of.GetName()
	known, had := m.has[key]
	switch typ {
	case watch.Added:
		if had {
			m.t.Errorf("%s added twice", key)
		}
		m.has[key] = now.GetResourceVersion()
	case watch.Modified:
		if known != before.GetResourceVersion() {
			m.t.Errorf("%s modified from %s, but the handler knew %s", key, before.GetResourceVersion(), known)
		}
		m.has[key] = now.GetResourceVersion()
	case watch.Deleted:
		if !had {
			m.t.Errorf("%s deleted, but was not there", key)
		}
		delete(m.has, key)
	}
}

// TestChaos changes a collection at random while everything that may go wrong does, then compares.
func TestChaos(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, seed) })
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	luck := rand.New(rand.NewPCG(seed, 8)) // under the collection's lock
	c := newCollection()
	c.noStreaming = seed%3 == 0
	calm := false
	faults := []error{
		io.EOF, io.ErrUnexpectedEOF, errors.New("connection refused"), apierrors.NewResourceExpired("fault"),
		apierrors.NewTooManyRequests("slow down", 3), apierrors.NewInternalError(errors.New("fault")), errSilence,
	}
	c.fault = func(op string) error {
		if calm || luck.IntN(12) != 0 {
			return nil
		}
		err := faults[luck.IntN(len(faults))]
		if errors.Is(err, errSilence) && op != "next" {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	for i := range r.IntN(30) {
		c.put("a", fmt.Sprint("w", i), "first")
	}
	scope := informer.Scope{GVK: widgets}
	if seed%4 == 3 {
		scope = scope.In("b", "a")
	}
	budget := informer.NewBudget(1<<20, nil)
	inf := informer.New(informer.Config[object]{
		Source: c, Scope: scope, PageSize: 4, NoStreaming: seed%3 == 1, Compact: seed%2 == 1, Budget: budget,
	})
	inf.AddIndex("namespace", func(o object) []string { return []string{o.GetNamespace()} })
	fast := &mirror{t: t, has: map[string]string{}}
	slow := &mirror{t: t, has: map[string]string{}, slow: 700 * time.Millisecond}
	inf.AddHandler(fast.handle)
	registration := inf.AddHandler(slow.handle)
	stop := run(inf)
	defer stop()

	var last uint64
	for range 150 {
		ns, name := string(rune('a'+r.IntN(2))), fmt.Sprint("w", r.IntN(30))
		switch r.IntN(10) {
		case 0, 1, 2:
			c.delete(ns, name)
		case 3:
			c.kick(r.IntN(2) == 0)
		default:
			c.put(ns, name, fmt.Sprint(r.Int()))
		}
		time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
		var now uint64
		_, _ = fmt.Sscan(inf.Snapshot().ResourceVersion(), &now)
		if now < last {
			t.Errorf("the revision went back from %d to %d", last, now)
		}
		last = now
	}
	c.mu.Lock()
	calm = true
	c.mu.Unlock()
	time.Sleep(time.Hour)
	synctest.Wait()

	same(t, inf, c)
	if !registration.HasSynced() {
		t.Error("the handler has not synced")
	}
	late := &mirror{t: t, has: map[string]string{}}
	inf.AddHandler(late.handle)
	synctest.Wait()
	indexed := len(slices.Collect(inf.Snapshot().ByIndex("namespace", "a"))) + len(slices.Collect(inf.Snapshot().ByIndex("namespace", "b")))
	if indexed != inf.Snapshot().Len() {
		t.Errorf("%d objects are indexed, %d there", indexed, inf.Snapshot().Len())
	}
	report := inf.Report()
	if report.State != "watch" || report.Objects != inf.Snapshot().Len() || report.Bytes != budget.Used() || report.Pending != 0 || report.Handlers != 3 {
		t.Errorf("report %+v, budget %d", report, budget.Used())
	}
	for _, m := range []*mirror{fast, slow, late} {
		if len(m.has) != inf.Snapshot().Len() {
			t.Errorf("a handler knows %d objects, %d there", len(m.has), inf.Snapshot().Len())
		}
		for o := range inf.Snapshot().List("") {
			if m.has[o.GetNamespace()+"/"+o.GetName()] != o.GetResourceVersion() {
				t.Errorf("a handler missed the last state of %s", o.GetName())
			}
		}
	}
}

func TestResumesWithoutListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}})
		stop := run(inf)
		defer stop()
		for i := range 5 {
			c.put("a", fmt.Sprint(i), "")
			time.Sleep(time.Second)
			c.kick(false)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, inf, c)
		if c.lists != 0 || c.opens != 6 {
			t.Errorf("%d lists, %d watches", c.lists, c.opens)
		}
		if r := inf.Report(); r.Events > 5 || r.Relists != 0 {
			t.Errorf("events came again: %+v", r)
		}
	})
}

// A connection that is open and says nothing, not even bookmarks, is given up for a new one, which resumes.
func TestSilentWatchIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		silent := false
		c.fault = func(op string) error {
			if op == "next" && silent {
				return errSilence
			}
			return nil
		}
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}, WatchTimeout: 24 * time.Hour})
		defer run(inf)()
		synctest.Wait()
		c.mu.Lock()
		silent = true
		c.mu.Unlock()
		c.put("a", "first", "") // which has the stream ask, and stick
		synctest.Wait()
		c.mu.Lock()
		silent = false
		c.mu.Unlock()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		same(t, inf, c)
		if r := inf.Report(); r.Watches < 2 || r.Relists != 0 || r.Lists != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// Informers of one Shared whose objects are of an interface are told apart by what New makes.
func TestSharedByWhatNewMakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "w", "")
		s := informer.NewShared(c)
		defer run(s)()
		cfg := informer.Config[informer.Object]{Scope: informer.Scope{GVK: widgets}, New: func() informer.Object { return &unstructured.Unstructured{} }}
		one, releaseOne := informer.Acquire(s, cfg)
		defer releaseOne()
		cfg.New = func() informer.Object { return &metav1.PartialObjectMetadata{} }
		two, releaseTwo := informer.Acquire(s, cfg)
		defer releaseTwo()
		synctest.Wait()
		o, _ := one.Get("a", "w")
		m, _ := two.Get("a", "w")
		if fmt.Sprintf("%T %T", o, m) != "*unstructured.Unstructured *v1.PartialObjectMetadata" || two.Report().Type != "*v1.PartialObjectMetadata" {
			t.Errorf("%T %T %s", o, m, two.Report().Type)
		}
	})
}

func TestHandlerSeesVanishedObjectsAndInitialOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "stays", "")
		c.put("a", "goes", "")
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}, NoStreaming: true})
		var seen []string
		inf.AddHandler(func(h informer.Change[object]) {
			seen = append(seen, fmt.Sprint(h.Type, " ", h.Object().GetName(), " ", h.Initial, " ", h.FinalStateUnknown))
		})
		stop := run(inf)
		defer stop()
		synctest.Wait()
		c.mu.Lock() // a change that no watch tells
		c.revision++
		delete(c.objects, "a/goes")
		c.mu.Unlock()
		c.kick(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []string{"ADDED goes true false", "ADDED stays true false", "DELETED goes false true"}
		slices.Sort(seen)
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q", seen)
		}
	})
}

func TestKindThatDisappearsAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "w", "")
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}})
		m := &mirror{t: t, has: map[string]string{}}
		inf.AddHandler(m.handle)
		stop := run(inf)
		defer stop()
		synctest.Wait()
		set := func(absent bool) { // and let the watches find out
			c.mu.Lock()
			c.absent = absent
			c.mu.Unlock()
			c.kick(true)
		}
		set(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if inf.Snapshot().Len() != 0 || len(m.has) != 0 {
			t.Error("objects of an absent kind")
		}
		if r := inf.Report(); r.State != "absent" || r.LastFailure == "" {
			t.Errorf("%+v", r)
		}
		set(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, inf, c)
		if len(m.has) != 1 {
			t.Error("not told of the return")
		}
	})
}

func TestWaitForRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		inf := informer.New(informer.Config[object]{Source: c, Scope: informer.Scope{GVK: widgets}})
		stop := run(inf)
		defer stop()
		if err := inf.WaitSynced(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			rv := c.put("a", "w", fmt.Sprint(i))
			if err := inf.WaitForRevision(t.Context(), rv); err != nil {
				t.Fatal(err)
			}
			if o, _ := inf.Get("a", "w"); o == nil || o.GetResourceVersion() != rv {
				t.Fatalf("%v after waiting for %s", o, rv)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := inf.WaitForRevision(ctx, "1000"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

func TestSharedRunsWhileUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		c.put("a", "w", "")
		s := informer.NewShared(c)
		stop := run(s)
		defer stop()
		cfg := informer.Config[object]{Scope: informer.Scope{GVK: widgets}}
		one, releaseOne := informer.Acquire(s, cfg)
		two, releaseTwo := informer.Acquire(s, cfg)
		meta, releaseMeta := informer.Acquire(s, informer.Config[*metav1.PartialObjectMetadata]{Scope: cfg.Scope})
		if one != two {
			t.Fatal("not shared")
		}
		_ = one.WaitSynced(t.Context())
		_ = meta.WaitSynced(t.Context())
		if o, ok := meta.Get("a", "w"); !ok || len(o.ManagedFields) != 0 {
			t.Fatal(o, ok)
		}
		if c.opens != 2 {
			t.Fatalf("%d watches", c.opens)
		}
		releaseMeta()
		releaseOne()
		releaseOne()
		c.put("a", "x", "")
		synctest.Wait()
		if two.Snapshot().Len() != 2 {
			t.Fatal("stopped while in use")
		}
		releaseTwo()
		synctest.Wait()
		c.put("a", "y", "")
		synctest.Wait()
		if len(s.Report()) != 0 || two.Snapshot().Len() != 2 {
			t.Fatal("runs without users")
		}
	})
}
