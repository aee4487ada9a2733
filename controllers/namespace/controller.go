// Package namespace is the controller that empties namespaces which are being deleted, and then lets them go: a
// namespace stays, in phase Terminating, until the finalizer "kubernetes" is gone from its spec.
//
// What is in the namespace is deleted kind by kind, pods first: as long as there are any, everything else that they may
// need stays. Objects that finalizers hold, and pods that take their time to end, are waited for. The namespace's
// conditions say how it goes, in the words of Kubernetes' controller:
//
//	NamespaceDeletionDiscoveryFailure           is it known what there may be?
//	NamespaceDeletionGroupVersionParsingFailure (never happens here)
//	NamespaceDeletionContentFailure             could all be deleted?
//	NamespaceContentRemaining                   what is still there?
//	NamespaceFinalizersRemaining                which finalizers hold it?
//
// Kubernetes' controller waits five seconds before it begins, so that other API servers have heard of the deletion and
// take no more new objects. This one begins at once, and takes its last look when they are over (Options.Settle). While
// content remains it looks again after 50 ms, then after twice as long each time, up to 8 s.
package namespace

import (
	"cmp"
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/workqueue"
)

// Name of the controller.
const Name = "namespace"

// Options of the controller. The zero value is useful.
type Options struct {
	// Settle is how long after its deletion was asked for a namespace is looked at for the last time. What was being
	// created meanwhile, by way of an API server that had not heard of the deletion, is there by then. Negative: no such
	// wait. Default: 5 s.
	Settle time.Duration
}

// AddToScheme adds the kinds that the controller needs.
func AddToScheme(s *kruntime.Scheme) error { return corev1.AddToScheme(s) }

// Setup adds the controller to a manager, whose scheme has what AddToScheme adds.
func Setup(mgr *runtime.Manager, o Options) error {
	o.Settle = cmp.Or(o.Settle, 5*time.Second)
	return runtime.NewControllerManagedBy(mgr).
		Named(Name).
		For(&corev1.Namespace{}, deletionBegins).
		WithOptions(runtime.ControllerOptions{
			MaxConcurrentReconciles: 10,
			RateLimit:               workqueue.RateLimit{Base: 50 * time.Millisecond, Max: 8 * time.Second},
		}).
		Complete(&reconciler{Options: o, client: mgr.Direct()})
}

// deletionBegins lets pass what is news: not the conditions that this controller writes.
func deletionBegins(e runtime.Event) bool {
	return e.New != nil && e.New.GetDeletionTimestamp() != nil && (e.Old == nil || e.Old.GetDeletionTimestamp() == nil)
}

// reconciler reads from the server: on what a cache may not know yet, nothing can be deleted for good.
type reconciler struct {
	Options

	client *client.Direct
}

// Reconcile takes a namespace that is being deleted one step further.
func (r *reconciler) Reconcile(ctx context.Context, req runtime.Request) (runtime.Result, error) {
	ns := &corev1.Namespace{}
	if err := r.client.Get(ctx, req.NamespacedName, ns); err != nil {
		return runtime.Result{}, ignoreNotFound(err)
	}
	if ns.DeletionTimestamp == nil || !slices.Contains(ns.Spec.Finalizers, corev1.FinalizerKubernetes) {
		return runtime.Result{}, nil
	}
	left := r.empty(ctx, ns.Name)
	ns.Status.Phase = corev1.NamespaceTerminating
	if left.describe(&ns.Status) {
		if err := r.client.Status().Update(ctx, ns); err != nil {
			return runtime.Result{}, ignoreNotFound(err)
		}
	}
	switch wait := r.Settle - time.Since(ns.DeletionTimestamp.Time); {
	case left.err() != nil:
		return runtime.Result{}, left.err()
	case left.any():
		return runtime.Result{Requeue: true}, nil
	case wait > 0 && r.Settle > 0:
		return runtime.Result{RequeueAfter: wait}, nil
	}
	return runtime.Result{}, ignoreNotFound(r.letGo(ctx, ns))
}

// letGo takes the controller's finalizer from the namespace. Others may hold it still.
func (r *reconciler) letGo(ctx context.Context, ns *corev1.Namespace) error {
	ns.Spec.Finalizers = slices.DeleteFunc(ns.Spec.Finalizers, func(f corev1.FinalizerName) bool {
		return f == corev1.FinalizerKubernetes
	})
	return r.client.SubResource("finalize").Update(ctx, ns)
}

// ignoreNotFound drops an error which says that there is nothing left to do.
func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
