package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

func manager(t *testing.T) *runtime.Manager {
	t.Helper()
	srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
	scheme := kruntime.NewScheme()
	ok(t, corev1.AddToScheme(scheme))
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: srv.Transport()}, runtime.Options{Scheme: scheme, Logger: testr.New(t)})
	ok(t, err)
	return mgr
}

// run the manager until the returned function is called, which waits for its end.
func run(t *testing.T, mgr *runtime.Manager) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- mgr.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func cm(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

// A ConfigMap gets a Secret, which comes back when it is deleted; failures and panics are tried again.
func TestController(t *testing.T) {
	mgr := manager(t)
	c := mgr.Client()
	calls, made, seen := atomic.Int32{}, make(chan string, 10), make(chan struct{}, 10)
	err := runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).
		Complete(runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
			if req.Name != "mine" {
				return runtime.Result{}, nil
			}
			switch calls.Add(1) {
			case 1:
				return runtime.Result{}, errors.New("first")
			case 2:
				panic("second")
			}
			var owner corev1.ConfigMap
			if err := c.Get(ctx, req.NamespacedName, &owner); err != nil {
				return runtime.Result{}, err
			}
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: req.Namespace, Name: req.Name}}
			wrote, err := runtime.CreateOrUpdate(ctx, c, secret, func() error {
				return runtime.SetControllerReference(&owner, secret, mgr.Scheme())
			})
			if wrote && err == nil {
				made <- string(secret.UID)
			} else if err == nil {
				seen <- struct{}{} // the controller was told of the Secret
			}
			return runtime.Result{}, err
		}))
	ok(t, err)
	defer run(t, mgr)()
	ok(t, c.Create(t.Context(), cm("mine")))
	first := <-made
	<-seen // a deletion of what a handler never saw is not told
	ok(t, c.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "mine"}}))
	if second := <-made; second == first {
		t.Fatal("the same Secret")
	}
	w := httptest.NewRecorder()
	mgr.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`reconcile_total{controller="configmap",result="error"} 2`, `panics_total{controller="configmap"} 1`,
		`workqueue_depth{name="configmap",controller="configmap",priority="0"} 0`, `workqueue_adds_total{name="configmap",`,
		`workqueue_retries_total{name="configmap",controller="configmap"} 2`, `workqueue_queue_duration_seconds_count{name="configmap",`,
		`workqueue_work_duration_seconds_bucket{name="configmap",controller="configmap",le="+Inf"} `,
		`workqueue_unfinished_work_seconds{name="configmap",`, `workqueue_longest_running_processor_seconds{name="configmap",`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in %s", want, w.Body)
		}
	}
}

func TestReadYourWrites(t *testing.T) {
	mgr := manager(t)
	defer run(t, mgr)()
	c, ctx := mgr.Client(), t.Context()
	for i := range 50 {
		obj := cm(fmt.Sprint("cm-", i))
		ok(t, c.Create(ctx, obj))
		ok(t, c.Get(ctx, client.KeyOf(obj), cm("")))
		obj.Data = map[string]string{"k": "v"}
		ok(t, c.Update(ctx, obj))
		got := cm("")
		ok(t, c.Get(ctx, client.KeyOf(obj), got))
		if got.Data["k"] != "v" {
			t.Fatalf("read %v after writing it", got.Data)
		}
		var list corev1.ConfigMapList
		ok(t, c.List(ctx, &list, client.MatchingFields{"metadata.name": obj.Name}))
		if len(list.Items) != 1 {
			t.Fatalf("listed %d", len(list.Items))
		}
		m := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}
		ok(t, c.Get(ctx, client.KeyOf(obj), m))
		if m.ResourceVersion != obj.ResourceVersion {
			t.Fatalf("metadata of %s, want %s", m.ResourceVersion, obj.ResourceVersion)
		}
	}
}

// What is under way when the manager stops may finish.
func TestGracefulShutdown(t *testing.T) {
	mgr := manager(t)
	began, finished := make(chan struct{}), false
	release := make(chan struct{})
	ok(t, runtime.NewControllerManagedBy(mgr).For(&corev1.Namespace{}).
		Complete(runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
			if req.Name == "default" {
				close(began)
				<-release
				finished = ctx.Err() == nil
			}
			return runtime.Result{}, nil
		})))
	stop := run(t, mgr)
	<-began
	close(release)
	stop()
	if !finished {
		t.Fatal("the reconciliation was cut off")
	}
}
