// Package storageversionmigration is the controller that carries out StorageVersionMigrations
// (storagemigration.k8s.io/v1): when the version in which a kind is stored has changed, objects written before stay in
// the old one until somebody writes them again. A StorageVersionMigration asks for that:
//
//	apiVersion: storagemigration.k8s.io/v1
//	kind: StorageVersionMigration
//	metadata: {name: websites}
//	spec: {resource: {group: example.com, resource: websites}}
//
// One migration of a resource runs at a time, the oldest first. It notes the resourceVersion at which it began in its
// status, and writes each object that is not newer as it is, with a patch that changes nothing; the server stores it in
// the present version. Whoever has changed or deleted an object meanwhile has done the work already. A migration that
// was interrupted starts over from the noted resourceVersion, and does not touch again what it has written before.
//
// The status says what Kubernetes' own controller says, with its conditions (Running, then Succeeded or Failed), reasons
// and messages. Around the migration of a custom kind, the CustomResourceDefinition carries the condition
// StorageMigrating; when all went well and nobody has changed the definition meanwhile, its status.storedVersions is cut
// to the storage version, and the old version may be removed.
//
// Some things differ from Kubernetes' controller, for the better. An object that cannot be converted ends the migration
// after a minute, and Failed names it; Kubernetes' tries for ever. After a failure storedVersions stays as it is, since
// objects are left in the old version; Kubernetes' cuts it. And objects are written through the storage version where
// that is served, which takes one conversion, not two.
package storageversionmigration

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// Name of the controller.
const Name = "storageversionmigration"

// Options of the controller. The zero value is useful.
type Options struct {
	// Rate is how many objects are written in a second, at most. Default: 2000.
	Rate int
	// Page is how many objects are listed at once, and written before the status tells of it. Default: 500.
	Page int64
	// Patience is how long a migration waits for a resource that the server does not have, or for an object that the
	// server cannot read or convert, before it fails. Default: one minute.
	Patience time.Duration
}

// parallel is how many objects of one migration are written at once: enough for the store to commit them in groups.
const parallel = 16

// AddToScheme adds the kinds that the controller needs.
func AddToScheme(s *kruntime.Scheme) error {
	return errors.Join(storagemigrationv1.AddToScheme(s), apiextensionsv1.AddToScheme(s))
}

// Setup adds the controller to a manager, whose scheme has what AddToScheme adds.
func Setup(mgr *runtime.Manager, o Options) error {
	o.Rate, o.Page, o.Patience = cmp.Or(o.Rate, 2000), cmp.Or(o.Page, 500), cmp.Or(o.Patience, time.Minute)
	r := &reconciler{
		Options: o, client: mgr.Client(), direct: mgr.Direct(),
		limit: rate.NewLimiter(rate.Limit(o.Rate), parallel), stuck: map[metav1.GroupResource]stuck{},
	}
	return runtime.NewControllerManagedBy(mgr).
		Named(Name).
		Watches(&storagemigrationv1.StorageVersionMigration{}, runtime.EnqueueMapped(requestOf)).
		WithOptions(runtime.ControllerOptions{MaxConcurrentReconciles: 4}).
		Complete(r)
}

// requestOf asks for the resource that a migration is about, its group in the place of a namespace: the queue never works
// on one key twice at once, and so there is one migration of a resource at a time.
func requestOf(_ context.Context, obj client.Object) ([]runtime.Request, error) {
	m := obj.(*storagemigrationv1.StorageVersionMigration) //nolint:forcetypeassert // it is what is watched
	return []runtime.Request{{NamespacedName: types.NamespacedName{Namespace: m.Spec.Resource.Group, Name: m.Spec.Resource.Resource}}}, nil
}

type reconciler struct {
	Options

	client client.Client  // reads migrations from the cache
	direct *client.Direct // reads everything else from the server: there may be much of it
	limit  *rate.Limiter

	mu    sync.Mutex
	stuck map[metav1.GroupResource]stuck
}

// stuck is a migration that waits for what may never come.
type stuck struct {
	uid   types.UID
	since time.Time
}

// patient notes that a migration is stuck, and says whether it should still wait.
func (r *reconciler) patient(m *storagemigrationv1.StorageVersionMigration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, ok := r.stuck[m.Spec.Resource]
	if !ok || was.uid != m.UID {
		r.stuck[m.Spec.Resource] = stuck{m.UID, time.Now()}
		return true
	}
	return time.Since(was.since) < r.Patience
}

// movesOn notes that no migration of a resource is stuck any more.
func (r *reconciler) movesOn(gr metav1.GroupResource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.stuck, gr)
}

// Reconcile takes one step for a resource: it tidies up after migrations that have ended, and carries out the next.
func (r *reconciler) Reconcile(ctx context.Context, req runtime.Request) (runtime.Result, error) {
	gr := metav1.GroupResource{Group: req.Namespace, Resource: req.Name}
	ended, next, err := r.migrationsOf(ctx, gr)
	if err != nil {
		return runtime.Result{}, err
	}
	for _, m := range ended {
		if err := r.tidy(ctx, m); err != nil {
			return runtime.Result{}, err
		}
	}
	if next == nil {
		r.movesOn(gr)
		return runtime.Result{}, nil
	}
	result, err := r.carryOut(ctx, next)
	if apierrors.IsNotFound(err) && r.deleted(ctx, next) {
		return runtime.Result{}, r.endOnCRD(ctx, next, false)
	}
	return result, err
}

// migrationsOf are the migrations of a resource that have ended and still say that they run, and the one to work on: that
// which runs, or the oldest that has not begun; nil where there is none.
func (r *reconciler) migrationsOf(ctx context.Context, gr metav1.GroupResource) (ended []*storagemigrationv1.StorageVersionMigration, next *storagemigrationv1.StorageVersionMigration, err error) {
	var all storagemigrationv1.StorageVersionMigrationList
	if err := r.client.List(ctx, &all); err != nil {
		return nil, nil, err
	}
	for i := range all.Items {
		m := &all.Items[i]
		switch {
		case m.Spec.Resource != gr:
		case isEnded(m):
			if isTrue(m, storagemigrationv1.MigrationRunning) {
				ended = append(ended, m)
			}
		case next == nil || before(m, next):
			next = m
		}
	}
	return ended, next, nil
}

// before is the order in which migrations of one resource run.
func before(a, b *storagemigrationv1.StorageVersionMigration) bool {
	if ra, rb := isTrue(a, storagemigrationv1.MigrationRunning), isTrue(b, storagemigrationv1.MigrationRunning); ra != rb {
		return ra
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name)) < 0
}

// carryOut does the whole of a migration, from wherever it was left.
func (r *reconciler) carryOut(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) (runtime.Result, error) {
	crd, err := r.crdOf(ctx, m)
	if err != nil {
		return runtime.Result{}, err
	}
	if !isTrue(m, storagemigrationv1.MigrationRunning) {
		if err := r.beginOnCRD(ctx, crd, m); err != nil {
			return runtime.Result{}, err
		}
		if err := r.setRunning(ctx, m, runningMessage(progress{}, nil)); err != nil {
			return runtime.Result{}, err
		}
	}
	version, refusal, err := r.versionOf(ctx, m, crd)
	switch {
	case err != nil:
		return runtime.Result{}, err
	case version == nil && refusal == "": // it may yet come
		return runtime.Result{RequeueAfter: r.Patience / 30}, nil
	case refusal != "":
		err = r.end(ctx, m, storagemigrationv1.MigrationFailed, refusal)
	default:
		err = r.migrate(ctx, m, version)
	}
	if err != nil || !isEnded(m) {
		return runtime.Result{}, err
	}
	r.movesOn(m.Spec.Resource)
	return runtime.Result{}, r.tidy(ctx, m)
}

// tidy says on the definition and in the status that an ended migration runs no longer, in this order: as long as the
// status says that it runs, this is tried again.
func (r *reconciler) tidy(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) error {
	if err := r.endOnCRD(ctx, m, isTrue(m, storagemigrationv1.MigrationSucceeded)); err != nil {
		return err
	}
	err := r.setCondition(ctx, m, metav1.Condition{
		Type: string(storagemigrationv1.MigrationRunning), Status: metav1.ConditionFalse,
		Reason: "MigrationCompleted", Message: "Migration completed",
	})
	return ignoreNotFound(err)
}

// deleted says that a migration is there no longer.
func (r *reconciler) deleted(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) bool {
	now := &storagemigrationv1.StorageVersionMigration{}
	err := r.direct.Get(ctx, client.KeyOf(m), now)
	return apierrors.IsNotFound(err) || err == nil && now.UID != m.UID
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
