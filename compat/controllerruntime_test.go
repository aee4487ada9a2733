package compat

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// A manager of controller-runtime turns a custom resource into a ConfigMap that it owns, and says so in its status.
func TestControllerRuntime(t *testing.T) {
	const group = "manager.compat.example.com"
	config := restConfig(t)
	installType(t, config, group)
	kind := schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Thing"}
	mgr, err := ctrl.NewManager(config, ctrl.Options{Metrics: server.Options{BindAddress: "0"}})
	check(t, err)
	c := mgr.GetClient()

	reconciler := reconcile.Func(func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
		it := &unstructured.Unstructured{}
		it.SetGroupVersionKind(kind)
		if err := c.Get(ctx, r.NamespacedName, it); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: it.GetName() + "-of-thing", Namespace: it.GetNamespace()}}
		if _, err := controllerutil.CreateOrUpdate(ctx, c, m, func() error {
			m.Data = map[string]string{"made": "yes"}
			return controllerutil.SetControllerReference(it, m, mgr.GetScheme())
		}); err != nil {
			return reconcile.Result{}, err
		}
		before := it.DeepCopy()
		if err := unstructured.SetNestedField(it.Object, it.GetGeneration(), "status", "observedGeneration"); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, c.Status().Patch(ctx, it, client.MergeFrom(before))
	})
	watched := &unstructured.Unstructured{}
	watched.SetGroupVersionKind(kind)
	check(t, ctrl.NewControllerManagedBy(mgr).Named("things").For(watched).Owns(&corev1.ConfigMap{}).Complete(reconciler))

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		cancel()
		check(t, <-ended)
	}()

	direct, err := client.New(config, client.Options{})
	check(t, err)
	it := thing(group, "one")
	check(t, direct.Create(ctx, it))
	made := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: "default", Name: "one-of-thing"}
	eventually(t, "the config map is made", func() bool { return direct.Get(ctx, key, made) == nil })
	if len(made.OwnerReferences) != 1 || made.OwnerReferences[0].UID != it.GetUID() {
		t.Fatalf("owners: %v", made.OwnerReferences)
	}
	eventually(t, "the status tells the generation", func() bool {
		if err := direct.Get(ctx, client.ObjectKeyFromObject(it), it); err != nil {
			return false
		}
		observed, _, err := unstructured.NestedInt64(it.Object, "status", "observedGeneration")
		return err == nil && observed == it.GetGeneration()
	})
	check(t, direct.Delete(ctx, made))
	eventually(t, "what was owned and deleted is made again", func() bool {
		again := &corev1.ConfigMap{}
		return direct.Get(ctx, key, again) == nil && again.UID != made.UID
	})
	check(t, direct.Delete(ctx, it))
	// Where a garbage collector runs, it may have been faster.
	check(t, client.IgnoreNotFound(direct.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: key.Namespace}})))
}
