package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// collect builds a controller of ConfigMaps that sends what is seen of those in the default namespace.
func collect(t *testing.T, b *runtime.Builder, f func(context.Context, runtime.Request) (runtime.Result, error)) *runtime.Controller {
	t.Helper()
	c, err := b.Build(runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
		if strings.HasPrefix(req.Name, "kube-") {
			return runtime.Result{}, nil
		}
		return f(ctx, req)
	}))
	ok(t, err)
	return c
}

func get(t *testing.T, mgr *runtime.Manager, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	mgr.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// A request knows what caused it, and afterwards it is known what it did.
func TestCauses(t *testing.T) { synctest.Test(t, testCauses) }

func testCauses(t *testing.T) {
	mgr := manager(t)
	c, ctx := mgr.Client(), t.Context()
	seen, failed := make(chan *runtime.Causes, 100), atomic.Bool{}
	controller := collect(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}), func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
		causes := runtime.CausesFrom(ctx)
		var obj corev1.ConfigMap
		if err := c.Get(ctx, req.NamespacedName, &obj); err != nil {
			seen <- causes
			return runtime.Result{}, client.IgnoreNotFound(err)
		}
		if obj.Data["fail"] != "" && failed.CompareAndSwap(false, true) {
			seen <- causes
			return runtime.Result{}, errors.New("as asked")
		}
		if runtime.AddFinalizer(&obj, "example.com/seen") && obj.Data["mark"] != "" {
			err := c.Update(ctx, &obj)
			seen <- causes
			return runtime.Result{}, err
		}
		seen <- causes
		return runtime.Result{}, nil
	})
	ok(t, c.Create(ctx, cm("early")))
	defer run(t, mgr)()
	if got := <-seen; got.Request.Name != "early" || !got.Has(runtime.CauseInitial) || got.Priority != runtime.LowPriority {
		t.Errorf("initially: %+v", got)
	}
	obj := cm("one")
	ok(t, c.Create(ctx, obj))
	first := obj.ResourceVersion
	if got := <-seen; !got.Has(runtime.CauseAdded) || got.List[0].New != first || got.List[0].Old != "" || got.List[0].Object.Name != "one" {
		t.Errorf("added: %+v", got.List)
	}
	obj.Data, obj.Labels = map[string]string{"fail": "yes"}, map[string]string{"a": "b"}
	ok(t, c.Update(ctx, obj))
	got := <-seen
	if cause := got.List[0]; cause.Type != runtime.CauseModified || cause.Old != first || cause.New != obj.ResourceVersion ||
		!slices.Equal(cause.Changed(), []string{"data", "metadata.labels"}) {
		t.Errorf("modified: %v, changed %v", cause, cause.Changed())
	}
	if got = <-seen; !got.Has(runtime.CauseRetry) || got.List[0].Detail != "as asked" || got.Failures != 1 {
		t.Errorf("again: %+v", got)
	}
	obj.Data["mark"] = "yes"
	ok(t, c.Update(ctx, obj))
	<-seen
	<-seen // its own write
	of := runtime.RequestFor(obj)
	synctest.Wait() // the last is noted after it was seen
	runs := controller.History(of)
	if len(runs) != 5 || runs[3].Outcome != "error" || runs[3].Error != "as asked" || len(runs[1].Writes) != 1 || runs[1].Writes[0].Verb != "update" ||
		runs[1].Writes[0].ResourceVersion != runs[0].List[0].New {
		t.Errorf("history: %+v", runs)
	}
	var report []runtime.RunReport
	_, body := get(t, mgr, "/debug/controllers/configmap?object=default/one")
	ok(t, json.Unmarshal([]byte(body), &report))
	if len(report) != 5 || !strings.Contains(report[3].Causes[0].Text, "ConfigMap default/one modified ("+first+" -> ") ||
		!slices.Equal(report[3].Causes[0].Changed, []string{"data", "metadata.labels"}) {
		t.Errorf("report: %s", body)
	}
	if code, body := get(t, mgr, "/debug/controllers/other"); code != http.StatusNotFound || !strings.Contains(body, "there are: configmap") {
		t.Errorf("%d %s", code, body)
	}
	if _, body := get(t, mgr, "/debug/controllers"); !strings.Contains(body, `"Name": "configmap"`) {
		t.Error(body)
	}
	if _, body := get(t, mgr, "/debug/caches"); !strings.Contains(body, "ConfigMap") {
		t.Error(body)
	}
}

// Very many causes are kept at both ends.
func TestManyCauses(t *testing.T) {
	mgr := manager(t)
	c, ctx := mgr.Client(), t.Context()
	began, release, seen := make(chan struct{}, 1), make(chan struct{}), make(chan *runtime.Causes, 1)
	var calls atomic.Int32
	controller := collect(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}), func(ctx context.Context, _ runtime.Request) (runtime.Result, error) {
		if calls.Add(1) == 1 {
			began <- struct{}{}
			<-release
			return runtime.Result{}, nil
		}
		seen <- runtime.CausesFrom(ctx)
		return runtime.Result{}, nil
	})
	defer run(t, mgr)()
	ok(t, c.Create(ctx, cm("one")))
	<-began
	for range 20 {
		controller.Enqueue(runtime.RequestFor(cm("one")))
	}
	close(release)
	if got := <-seen; len(got.List) != 8 || got.Omitted != 12 || !got.List[0].At.Before(got.List[7].At) {
		t.Errorf("%d causes, %d omitted", len(got.List), got.Omitted)
	}
}

// Controllers come and go while the manager runs; sources feed them.
func TestControllersComeAndGo(t *testing.T) {
	mgr := manager(t)
	defer run(t, mgr)()
	ok(t, mgr.Client().Create(t.Context(), cm("one")))
	ch, seen := make(chan string), make(chan *runtime.Causes, 10)
	build := func() *runtime.Controller {
		return collect(t, runtime.NewControllerManagedBy(mgr).Named("late").For(&corev1.ConfigMap{}).
			WatchesRawSource(runtime.Channel(ch, func(name string) []runtime.Request { return []runtime.Request{runtime.RequestFor(cm(name))} })).
			WatchesRawSource(runtime.Every(time.Hour, runtime.RequestFor(cm("hourly")))),
			func(ctx context.Context, _ runtime.Request) (runtime.Result, error) {
				seen <- runtime.CausesFrom(ctx)
				return runtime.Result{}, nil
			})
	}
	for range 2 {
		c := build()
		names := map[string]bool{}
		for range 2 {
			names[(<-seen).Request.Name] = true
		}
		if !names["one"] || !names["hourly"] {
			t.Errorf("saw %v", names)
		}
		ch <- "sent"
		if got := <-seen; got.Request.Name != "sent" || !got.Has(runtime.CauseSource) {
			t.Errorf("of a channel: %+v", got)
		}
		if _, err := runtime.NewControllerManagedBy(mgr).Named("late").Build(runtime.ReconcilerFunc(nil)); err == nil {
			t.Error("two controllers of one name")
		}
		mgr.Remove(c)
		mgr.Remove(c)
	}
	ok(t, mgr.Client().Create(t.Context(), cm("two")))
	if len(seen) > 0 {
		t.Errorf("seen after it was removed: %+v", <-seen)
	}
}

// A source that fails ends the manager.
func TestSourceFails(t *testing.T) {
	mgr := manager(t)
	collect(t, runtime.NewControllerManagedBy(mgr).Named("x").WatchesRawSource(func(context.Context, func(...runtime.Request)) error {
		return errors.New("no more")
	}), nil)
	if err := mgr.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "controller x: a source: no more") {
		t.Errorf("ended with %v", err)
	}
}

func TestRunnablesAndChecks(t *testing.T) { synctest.Test(t, testRunnablesAndChecks) }

func testRunnablesAndChecks(t *testing.T) {
	mgr := manager(t)
	var ran atomic.Int32
	for _, leader := range []bool{false, true} {
		ok(t, mgr.Add(func(ctx context.Context) error {
			ran.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}, leader))
	}
	well := atomic.Bool{}
	mgr.AddReadyzCheck("disk", func(*http.Request) error {
		if well.Load() {
			return nil
		}
		return errors.New("full")
	})
	if code, body := get(t, mgr, "/readyz"); code != http.StatusServiceUnavailable || body != "disk: full\nstarting\n" {
		t.Errorf("%d %q", code, body)
	}
	stop := run(t, mgr)
	well.Store(true)
	synctest.Wait() // it takes a moment to start
	if code, body := get(t, mgr, "/readyz"); code != http.StatusOK {
		t.Errorf("%d %q", code, body)
	}
	if code, _ := get(t, mgr, "/healthz"); code != http.StatusOK {
		t.Error(code)
	}
	if mgr.Add(func(context.Context) error { return nil }, false) == nil {
		t.Error("added to a manager that runs")
	}
	stop()
	if ran.Load() != 2 {
		t.Errorf("%d ran", ran.Load())
	}
}

// Several clusters in one manager, joined and left while it runs.
func TestClusters(t *testing.T) {
	mgr := manager(t)
	seen := make(chan runtime.Request, 10)
	collect(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).EveryCluster(), func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
		err := runtime.ClientFrom(ctx).Get(ctx, req.NamespacedName, cm(""))
		if err == nil {
			seen <- req
		}
		return runtime.Result{}, client.IgnoreNotFound(err)
	})
	join := func(name string) *runtime.Cluster {
		other := apiservertest.Start(t, apiservertest.Options{})
		cl, err := mgr.Join(name, client.Config{Host: "http://server", Transport: other.Transport()})
		ok(t, err)
		ok(t, cl.Direct().Create(t.Context(), cm("of-"+name)))
		return cl
	}
	join("before")
	defer run(t, mgr)()
	if got := <-seen; got.Cluster != "before" || got.Name != "of-before" || got.String() != "before:default/of-before" {
		t.Errorf("saw %v", got)
	}
	after := join("after")
	if got := <-seen; got.Cluster != "after" || got.Name != "of-after" {
		t.Errorf("saw %v", got)
	}
	if _, err := mgr.Join("after", client.Config{Host: "http://server"}); err == nil {
		t.Error("joined twice")
	}
	ok(t, mgr.Client().Create(t.Context(), cm("home")))
	if got := <-seen; got.Cluster != "" || got.Name != "home" {
		t.Errorf("saw %v", got)
	}
	ok(t, mgr.Leave("after"))
	if err := mgr.Leave("after"); !errors.Is(err, runtime.ErrGone) {
		t.Errorf("left twice: %v", err)
	}
	if _, err := mgr.Cluster("after"); !errors.Is(err, runtime.ErrGone) {
		t.Error(err)
	}
	ok(t, after.Direct().Create(t.Context(), cm("unseen")))
	ok(t, mgr.Client().Create(t.Context(), cm("last")))
	if got := <-seen; got.Name != "last" {
		t.Errorf("saw %v", got)
	}
}

// tidy cleans up, and takes two attempts for it.
type tidy struct {
	reconciled, finalized chan string
	ready                 atomic.Bool
}

func (r *tidy) Reconcile(_ context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
	if obj.Name == "one" {
		r.reconciled <- strings.Join(obj.Finalizers, " ")
	}
	return runtime.Result{}, nil
}

func (r *tidy) Finalize(_ context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
	if !r.ready.Swap(true) {
		return runtime.Result{Requeue: true}, nil
	}
	r.finalized <- obj.Name
	return runtime.Result{}, nil
}

func TestFinalizer(t *testing.T) {
	mgr := manager(t)
	c, ctx := mgr.Client(), t.Context()
	r := &tidy{reconciled: make(chan string, 10), finalized: make(chan string, 10)}
	ok(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(runtime.AsReconciler(c, r)))
	gone := make(chan struct{})
	ok(t, runtime.NewControllerManagedBy(mgr).Named("observer").Watches(&corev1.ConfigMap{}, func(_ context.Context, e runtime.Event) ([]runtime.Request, error) {
		if e.Object().GetName() == "one" && e.Type == "DELETED" {
			close(gone)
		}
		return nil, nil
	}).Complete(runtime.ReconcilerFunc(nil)))
	defer run(t, mgr)()
	ok(t, c.Create(ctx, cm("one")))
	if got := <-r.reconciled; got != "finalizers.keelson.dev/configmap" {
		t.Errorf("reconciled with finalizers %q", got)
	}
	ok(t, c.Delete(ctx, cm("one")))
	if got := <-r.finalized; got != "one" {
		t.Error(got)
	}
	<-gone
}

// Unstructured objects name their kind by an example.
func TestUnstructuredObject(t *testing.T) {
	mgr := manager(t)
	seen := make(chan string, 100)
	like := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}
	ok(t, runtime.NewControllerManagedBy(mgr).For(like).Complete(runtime.AsReconciler(mgr.Client(),
		runtime.ObjectReconcilerFunc[*metav1.PartialObjectMetadata](func(_ context.Context, obj *metav1.PartialObjectMetadata) (runtime.Result, error) {
			if obj.Name == "one" {
				seen <- obj.Kind
			}
			return runtime.Result{}, nil
		}), like)))
	defer run(t, mgr)()
	ok(t, mgr.Client().Create(t.Context(), cm("one")))
	if got := <-seen; got != "ConfigMap" {
		t.Errorf("a %q", got)
	}
}

// Who does not lead runs what is for every replica, and nothing else, controllers that come later among them.
func TestEveryReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		lead, resign := make(chan struct{}), make(chan struct{})
		mgr, err := runtime.New(client.Config{Host: "http://server", Transport: srv.Transport()}, runtime.Options{
			LeaderElection: func(ctx context.Context, do func(context.Context) error) error {
				<-lead
				leading, stop := context.WithCancel(ctx)
				go func() { <-resign; stop() }()
				if err := do(leading); err != nil {
					return err
				}
				<-ctx.Done()
				return nil
			},
		})
		ok(t, err)
		var ran sync.Map
		build := func(name string, every bool) {
			t.Helper()
			ok(t, runtime.NewControllerManagedBy(mgr).Named(name).WithOptions(runtime.ControllerOptions{EveryReplica: every}).
				WatchesRawSource(runtime.Every(time.Minute, runtime.RequestFor(cm(name)))).
				Complete(runtime.ReconcilerFunc(func(context.Context, runtime.Request) (runtime.Result, error) {
					ran.Store(name, true)
					return runtime.Result{}, nil
				})))
		}
		who := func() (names []string) {
			ran.Clear()
			time.Sleep(time.Minute)
			synctest.Wait()
			ran.Range(func(name, _ any) bool { names = append(names, name.(string)); return true })
			slices.Sort(names)
			return names
		}
		build("early", true)
		build("led", false)
		defer run(t, mgr)()
		synctest.Wait()
		build("late", true)
		build("late-led", false)
		if got := who(); !slices.Equal(got, []string{"early", "late"}) {
			t.Errorf("standing by, %v run", got)
		}
		close(lead)
		if got := who(); !slices.Equal(got, []string{"early", "late", "late-led", "led"}) {
			t.Errorf("leading, %v run", got)
		}
		close(resign)
		if got := who(); !slices.Equal(got, []string{"early", "late"}) {
			t.Errorf("standing by again, %v run", got)
		}
	})
}
