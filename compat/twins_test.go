package compat

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	crclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

const twinFinalizer = "compat.example.com/index"

// tapped notes the writes that pass, as a line each.
type tapped struct {
	http.RoundTripper
	mu     sync.Mutex
	writes []string
}

// RoundTrip implements http.RoundTripper.
func (w *tapped) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.RoundTripper.RoundTrip(r)
	if err == nil && r.Method != http.MethodGet {
		parts := strings.Split(r.URL.Path, "/")
		at := slices.Index(parts, "default") + 1
		w.mu.Lock()
		w.writes = append(w.writes, fmt.Sprintf("%s %s %d", r.Method, strings.Join(parts[at:], "/"), res.StatusCode))
		w.mu.Unlock()
	}
	return res, err
}

// take returns the writes since it was last called, once there have been no more for a while. Conflicts are left out:
// whether there is one depends on how far the caches are.
func (w *tapped) take(t *testing.T) []string {
	t.Helper()
	seen, since := -1, time.Now()
	eventually(t, "no more is written", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.writes) != seen {
			seen, since = len(w.writes), time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	out := slices.DeleteFunc(w.writes, func(s string) bool { return strings.HasSuffix(s, " 409") })
	w.writes = nil
	return out
}

// tap makes one to the suite's server, with the administrator's credentials.
func tap(t *testing.T, config *rest.Config) *tapped {
	t.Helper()
	rt, err := rest.TransportFor(config)
	check(t, err)
	return &tapped{RoundTripper: rt}
}

// desired is what both reconcilers want a thing's ConfigMap to hold.
func desired(it *unstructured.Unstructured) map[string]string {
	size, _, _ := unstructured.NestedInt64(it.Object, "spec", "size")
	return map[string]string{"size": fmt.Sprint(size)}
}

// ready puts the condition into a thing's status.
func ready(it *unstructured.Unstructured, status metav1.ConditionStatus) error {
	var conditions []metav1.Condition
	list, _, _ := unstructured.NestedSlice(it.Object, "status", "conditions")
	for _, c := range list {
		var one metav1.Condition
		if err := kruntime.DefaultUnstructuredConverter.FromUnstructured(c.(map[string]any), &one); err != nil {
			return err
		}
		conditions = append(conditions, one)
	}
	meta.SetStatusCondition(&conditions, metav1.Condition{Type: "Ready", Status: status, Reason: "Seen", ObservedGeneration: it.GetGeneration()})
	list = nil
	for i := range conditions {
		one, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(&conditions[i])
		if err != nil {
			return err
		}
		list = append(list, one)
	}
	return unstructured.SetNestedSlice(it.Object, list, "status", "conditions")
}

// theirs is the reconciler on controller-runtime, whose client asks the server for unstructured objects.
func theirs(t *testing.T, config *rest.Config, w *tapped, kind schema.GroupVersionKind) (start func(context.Context) error) {
	config = rest.CopyConfig(config)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { w.RoundTripper = rt; return w })
	mgr, err := ctrl.NewManager(config, ctrl.Options{Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"}})
	check(t, err)
	c := mgr.GetClient()
	do := reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
		it := &unstructured.Unstructured{}
		it.SetGroupVersionKind(kind)
		if err := c.Get(ctx, req.NamespacedName, it); err != nil {
			return ctrl.Result{}, crclient.IgnoreNotFound(err)
		}
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: it.GetNamespace(), Name: it.GetName()}}
		if it.GetDeletionTimestamp() != nil {
			if !controllerutil.ContainsFinalizer(it, twinFinalizer) {
				return ctrl.Result{}, nil
			}
			if err := crclient.IgnoreNotFound(c.Delete(ctx, m)); err != nil {
				return ctrl.Result{}, err
			}
			controllerutil.RemoveFinalizer(it, twinFinalizer)
			return ctrl.Result{}, crclient.IgnoreNotFound(c.Update(ctx, it))
		}
		if controllerutil.AddFinalizer(it, twinFinalizer) {
			if err := c.Update(ctx, it); err != nil {
				return ctrl.Result{}, err
			}
		}
		if _, err := controllerutil.CreateOrUpdate(ctx, c, m, func() error {
			m.Data = desired(it)
			return controllerutil.SetControllerReference(it, m, mgr.GetScheme())
		}); err != nil {
			return ctrl.Result{}, err
		}
		before := it.DeepCopy()
		age := time.Since(m.CreationTimestamp.Time)
		status := metav1.ConditionFalse
		if age > 2*time.Second {
			status = metav1.ConditionTrue
		}
		if err := ready(it, status); err != nil {
			return ctrl.Result{}, err
		}
		if !equality.Semantic.DeepEqual(before, it) {
			if err := c.Status().Update(ctx, it); err != nil {
				return ctrl.Result{}, err
			}
		}
		if status == metav1.ConditionFalse {
			return ctrl.Result{RequeueAfter: 2*time.Second - age + 100*time.Millisecond}, nil
		}
		return ctrl.Result{}, nil
	})
	watched := &unstructured.Unstructured{}
	watched.SetGroupVersionKind(kind)
	check(t, ctrl.NewControllerManagedBy(mgr).Named("twin").
		WithOptions(controller.Options{SkipNameValidation: new(true)}). // for go test -count
		For(watched).Owns(&corev1.ConfigMap{}).Complete(do))
	return mgr.Start
}

// oursToo is the same on Keelson's runtime.
func oursToo(t *testing.T, w *tapped, host string, kind schema.GroupVersionKind) (start func(context.Context) error) {
	mgr, err := runtime.New(client.Config{Host: host, Transport: w}, runtime.Options{Scheme: scheme.Scheme, FieldOwner: "twin"})
	check(t, err)
	c := mgr.Client()
	do := runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
		it := &unstructured.Unstructured{}
		it.SetGroupVersionKind(kind)
		if err := c.Get(ctx, req.NamespacedName, it); err != nil {
			return runtime.Result{}, client.IgnoreNotFound(err)
		}
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: it.GetNamespace(), Name: it.GetName()}}
		if it.GetDeletionTimestamp() != nil {
			if !slices.Contains(it.GetFinalizers(), twinFinalizer) {
				return runtime.Result{}, nil
			}
			if err := client.IgnoreNotFound(c.Delete(ctx, m)); err != nil {
				return runtime.Result{}, err
			}
			runtime.RemoveFinalizer(it, twinFinalizer)
			return runtime.Result{}, client.IgnoreNotFound(c.Update(ctx, it))
		}
		if runtime.AddFinalizer(it, twinFinalizer) {
			if err := c.Update(ctx, it); err != nil {
				return runtime.Result{}, err
			}
		}
		if _, err := runtime.CreateOrUpdate(ctx, c, m, func() error {
			m.Data = desired(it)
			return runtime.SetControllerReference(it, m, mgr.Scheme())
		}); err != nil {
			return runtime.Result{}, err
		}
		before := it.DeepCopy()
		age := time.Since(m.CreationTimestamp.Time)
		status := metav1.ConditionFalse
		if age > 2*time.Second {
			status = metav1.ConditionTrue
		}
		if err := ready(it, status); err != nil {
			return runtime.Result{}, err
		}
		if err := runtime.UpdateStatus(ctx, c, before, it); err != nil {
			return runtime.Result{}, err
		}
		if status == metav1.ConditionFalse {
			return runtime.Result{RequeueAfter: 2*time.Second - age + 100*time.Millisecond}, nil
		}
		return runtime.Result{}, nil
	})
	watched := &unstructured.Unstructured{}
	watched.SetGroupVersionKind(kind)
	check(t, runtime.NewControllerManagedBy(mgr).Named("twin").For(watched).Owns(&corev1.ConfigMap{}).Complete(do))
	return mgr.Run
}

// TestTwins runs one reconciler on controller-runtime and on Keelson's runtime, through the same story, and compares
// the objects and the writes after each step of it.
func TestTwins(t *testing.T) {
	config := restConfig(t)
	const theirGroup, ourGroup = "theirs.twins.example.com", "ours.twins.example.com"
	var told [2][]string
	for i, group := range []string{theirGroup, ourGroup} {
		installType(t, config, group)
		kind := schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Thing"}
		w := &tapped{}
		var start func(context.Context) error
		if group == theirGroup {
			start = theirs(t, config, w, kind)
		} else {
			w = tap(t, config)
			start = oursToo(t, w, config.Host, kind)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- start(ctx) }()
		told[i] = story(t, config, w, group)
		stop()
		check(t, <-ended)
	}
	if !slices.Equal(told[0], told[1]) {
		t.Errorf("controller-runtime:\n%s\nKeelson's runtime:\n%s", strings.Join(told[0], "\n"), strings.Join(told[1], "\n"))
	}
	t.Log(strings.Join(told[1], "\n"))
}

// story does what a user does, and tells after each step what came of it and what was written for that.
func story(t *testing.T, config *rest.Config, w *tapped, group string) (told []string) {
	t.Helper()
	c, err := crclient.New(config, crclient.Options{})
	check(t, err)
	ctx := t.Context()
	it, m := thing(group, "twin"), &corev1.ConfigMap{}
	key := crclient.ObjectKeyFromObject(it)
	get := func() bool { return c.Get(ctx, key, it) == nil && c.Get(ctx, key, m) == nil }
	tell := func(step string) {
		list, _, _ := unstructured.NestedSlice(it.Object, "status", "conditions")
		for _, c := range list {
			delete(c.(map[string]any), "lastTransitionTime")
		}
		told = append(told, fmt.Sprintf("%s: finalizers %v, generation %d, conditions %v, data %v, owners %d; wrote %v",
			step, it.GetFinalizers(), it.GetGeneration(), list, m.Data, len(m.OwnerReferences), w.take(t)))
	}
	is := func(status string) bool {
		list, _, _ := unstructured.NestedSlice(it.Object, "status", "conditions")
		return len(list) == 1 && list[0].(map[string]any)["status"] == status && list[0].(map[string]any)["observedGeneration"] == it.GetGeneration()
	}
	check(t, c.Create(ctx, it))
	eventually(t, "it is not ready yet", func() bool { return get() && is("False") })
	tell("created")
	eventually(t, "it is ready, by RequeueAfter", func() bool { return get() && is("True") })
	tell("later")
	m.Data = map[string]string{"size": "wrong"}
	check(t, c.Update(ctx, m))
	eventually(t, "the drift is repaired", func() bool { return get() && m.Data["size"] == "1" })
	tell("drifted")
	check(t, unstructured.SetNestedField(it.Object, int64(2), "spec", "size"))
	check(t, c.Update(ctx, it))
	eventually(t, "the change arrives", func() bool { return get() && m.Data["size"] == "2" && is("True") })
	tell("changed")
	check(t, c.Delete(ctx, it))
	eventually(t, "it goes", func() bool {
		return apierrors.IsNotFound(c.Get(ctx, key, it)) && apierrors.IsNotFound(c.Get(ctx, key, m))
	})
	told = append(told, fmt.Sprintf("deleted: wrote %v", w.take(t)))
	return told
}
