package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// asked notes the requests that a controller gets.
type asked struct {
	mu    sync.Mutex
	names []string
}

func (a *asked) Reconcile(_ context.Context, req runtime.Request) (runtime.Result, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = append(a.names, strings.TrimPrefix(req.Cluster+":"+req.Name, ":"))
	return runtime.Result{}, nil
}

// take returns what was asked for since it was last called, in order.
func (a *asked) take() []string {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	names := a.names
	a.names = nil
	slices.Sort(names)
	return slices.Compact(names)
}

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{StringData: data}
	s.Namespace, s.Name = "default", name
	return s
}

// A mapping reads, in the event's cluster: which ConfigMaps name a Secret.
func TestMappingReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mgr, a := manager(t), &asked{}
		ok(t, runtime.IndexField(mgr, "secret", func(obj *corev1.ConfigMap) []string { return []string{obj.Data["secret"]} }))
		users := func(ctx context.Context, obj client.Object) (reqs []runtime.Request, err error) {
			var list corev1.ConfigMapList
			err = runtime.ClientFrom(ctx).List(ctx, &list, client.InNamespace(obj.GetNamespace()), client.MatchingFields{"secret": obj.GetName()})
			for i := range list.Items {
				reqs = append(reqs, runtime.RequestFor(&list.Items[i]))
			}
			return reqs, err
		}
		ok(t, runtime.NewControllerManagedBy(mgr).Named("c").EveryCluster().Watches(&corev1.Secret{}, runtime.EnqueueMapped(users)).Complete(a))
		other := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		cl, err := mgr.Join("other", client.Config{Host: "http://server", Transport: other.Transport()})
		ok(t, err)
		defer run(t, mgr)()
		for cluster, c := range map[string]client.Client{"": mgr.Direct(), "other": cl.Direct()} {
			for _, name := range []string{"a", "b" + cluster} {
				obj := cm(name)
				obj.Data = map[string]string{"secret": "s"}
				ok(t, c.Create(t.Context(), obj))
			}
			synctest.Wait()
			ok(t, c.Create(t.Context(), secret("s", nil)))
		}
		if got := a.take(); !slices.Equal(got, []string{"a", "b", "other:a", "other:bother"}) {
			t.Errorf("asked for %v", got)
		}
	})
}

// What could not be mapped is, later, without holding up other objects; what changed meanwhile is in it.
func TestMappingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mgr, a := manager(t), &asked{}
		var down, panics atomic.Bool
		down.Store(true)
		ok(t, runtime.NewControllerManagedBy(mgr).Named("c").Watches(&corev1.Secret{}, runtime.EnqueueMapped(
			func(_ context.Context, obj client.Object) ([]runtime.Request, error) {
				if down.Load() && strings.HasPrefix(obj.GetName(), "bad") {
					if panics.Load() {
						panic("away")
					}
					return nil, errors.New("away")
				}
				return []runtime.Request{runtime.RequestFor(cm(string(obj.(*corev1.Secret).Data["for"])))}, nil
			})).WithOptions(runtime.ControllerOptions{}).Complete(a))
		defer run(t, mgr)()
		c, ctx := mgr.Direct(), t.Context()
		bad := secret("bad", map[string]string{"for": "one"})
		ok(t, c.Create(ctx, bad))
		ok(t, c.Create(ctx, secret("bad-and-gone", map[string]string{"for": "gone"})))
		ok(t, c.Create(ctx, secret("good", map[string]string{"for": "good"})))
		if got := a.take(); !slices.Equal(got, []string{"good"}) {
			t.Errorf("asked for %v", got)
		}
		for _, to := range []string{"two", "three"} {
			panics.Store(!panics.Load())
			bad.StringData = map[string]string{"for": to}
			ok(t, c.Update(ctx, bad))
			synctest.Wait()
		}
		ok(t, c.Delete(ctx, secret("bad-and-gone", nil)))
		time.Sleep(time.Second)
		if got := a.take(); len(got) != 0 {
			t.Errorf("asked for %v", got)
		}
		failures := value(t, metrics(t, mgr), "controller_runtime_mapping_errors_total", "controller", "c")
		if failures < 6 || failures > 40 { // they become rare
			t.Errorf("%v failures", failures)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		if got := a.take(); !slices.Equal(got, []string{"gone", "three"}) {
			t.Errorf("asked for %v", got)
		}
		if now := value(t, metrics(t, mgr), "controller_runtime_mapping_errors_total", "controller", "c"); now > failures+2 {
			t.Errorf("%v failures after it was mended", now-failures)
		}
	})
}
