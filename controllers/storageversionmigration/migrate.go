package storageversionmigration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/keelson-project/keelson/runtime/client"
)

// fieldManager is under which name Kubernetes writes the objects. As nothing in them changes, it owns nothing.
const fieldManager = "storage-version-migrator-controller"

// versionOf chooses the version through which objects are written: the stored one of a custom kind, where it is served,
// else what the server prefers. There is none, without a refusal, while the resource may yet come.
func (r *reconciler) versionOf(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, crd *apiextensionsv1.CustomResourceDefinition) (version *client.Served, refusal string, err error) {
	versions, err := r.direct.VersionsOf(ctx, schema.GroupResource(m.Spec.Resource))
	if err != nil {
		return nil, "", err
	}
	if len(versions) == 0 {
		if !r.patient(m) {
			refusal = "resource does not exist in discovery"
		}
		return nil, refusal, nil
	}
	version = &versions[0]
	if crd != nil {
		stored := storageVersion(crd)
		if i := slices.IndexFunc(versions, func(v client.Served) bool { return v.Kind.Version == stored }); i >= 0 {
			version = &versions[i]
		}
	}
	need := []string{"update", "patch", "list"}
	for _, verb := range need {
		if !slices.Contains(version.Verbs, verb) {
			return nil, fmt.Sprintf("resource %q does not support discovery operations: %v", version.Resource.String(), need), nil
		}
	}
	return version, "", nil
}

// migrate writes all objects that are not newer than the migration, page by page, and ends it. An error that may pass is
// returned, others end the migration.
func (r *reconciler) migrate(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, version *client.Served) error {
	if m.Status.ResourceVersion == "" {
		now, err := r.list(ctx, version, 1, "")
		if err != nil {
			return err
		}
		m.Status.ResourceVersion = now.ResourceVersion
		if err := r.updateStatus(ctx, m); err != nil {
			return err
		}
	}
	var p progress
	for next, first := "", true; first || next != ""; first = false {
		page, err := r.list(ctx, version, r.Page, next)
		if err != nil {
			return err
		}
		next = page.Continue
		if first {
			p.total = len(page.Items)
			if page.RemainingItemCount != nil {
				p.total += int(*page.RemainingItemCount)
			}
			p.left = p.total
		}
		done, err := r.rewriteAll(ctx, m, version, page.Items)
		p.left = max(p.left-done, 0) // others may have made some since the first page
		if err != nil {
			return r.stop(ctx, m, p, err)
		}
		if next != "" {
			if err := r.setRunning(ctx, m, runningMessage(p, nil)); err != nil {
				return err
			}
		}
	}
	// Both conditions in one write.
	meta.SetStatusCondition(&m.Status.Conditions, running(runningMessage(progress{total: p.total}, nil)))
	return r.end(ctx, m, storagemigrationv1.MigrationSucceeded, "Migration completed")
}

// stop tells why a migration could not go on: for now, or for good.
func (r *reconciler) stop(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, p progress, why error) error {
	if ctx.Err() != nil {
		return why
	}
	if isTransient(why) || apierrors.IsInternalError(why) && r.patient(m) {
		return errors.Join(why, r.setRunning(ctx, m, runningMessage(p, why)))
	}
	meta.SetStatusCondition(&m.Status.Conditions, running(runningMessage(p, nil)))
	return r.end(ctx, m, storagemigrationv1.MigrationFailed, fmt.Sprintf("%v not yet migrated. migration encountered unhandled error: %s", p, why))
}

// list reads a page of metadata, which takes no conversion. After a page that comes too late for its list to be continued
// as it was, the list goes on with the objects that there are now: those written meanwhile need no migration.
func (r *reconciler) list(ctx context.Context, version *client.Served, limit int64, next string) (*metav1.PartialObjectMetadataList, error) {
	page := &metav1.PartialObjectMetadataList{}
	page.SetGroupVersionKind(version.Kind.GroupVersion().WithKind(version.Kind.Kind + "List"))
	err := r.direct.List(ctx, page, client.Limit(limit), client.Continue(next))
	var status apierrors.APIStatus
	if apierrors.IsResourceExpired(err) && errors.As(err, &status) && status.Status().Continue != "" {
		err = r.direct.List(ctx, page, client.Limit(limit), client.Continue(status.Status().Continue))
	}
	return page, err
}

// rewriteAll writes those objects that are not newer than the migration, some at once, and returns how many of all are
// known to be stored in the present version. The first error ends it.
func (r *reconciler) rewriteAll(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, version *client.Served, objects []metav1.PartialObjectMetadata) (int, error) {
	var done atomic.Int64
	var wrote atomic.Bool
	var late error
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range objects {
		obj := &objects[i]
		if newer, _ := resourceversion.CompareResourceVersion(obj.ResourceVersion, m.Status.ResourceVersion); newer > 0 {
			done.Add(1)
			continue
		}
		if late = r.limit.Wait(ctx); late != nil {
			break // one has failed, or there is no more time
		}
		group.Go(func() error {
			if err := r.rewrite(ctx, version, obj); err != nil {
				return fmt.Errorf("%s: %w", nameOf(obj), err)
			}
			done.Add(1)
			wrote.Store(true)
			return nil
		})
	}
	err := group.Wait()
	if wrote.Load() {
		r.movesOn(m.Spec.Resource)
	}
	if err == nil {
		err = late
	}
	return int(done.Load()), err
}

// rewrite writes an object as it is. Who is faster has written it in the present version already, or deleted it.
func (r *reconciler) rewrite(ctx context.Context, version *client.Served, obj *metav1.PartialObjectMetadata) error {
	apiVersion, kind := version.Kind.ToAPIVersionAndKind()
	data, err := json.Marshal(map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"resourceVersion": obj.ResourceVersion},
	})
	if err != nil {
		return err
	}
	err = r.direct.Patch(ctx, obj, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager))
	if apierrors.IsConflict(err) {
		return nil
	}
	return ignoreNotFound(err)
}

func nameOf(obj client.Object) string {
	if obj.GetNamespace() == "" {
		return obj.GetName()
	}
	return client.KeyOf(obj).String()
}

// isTransient says that an error may pass by itself: the server is busy or could not be reached.
func isTransient(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) ||
		apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err)
}
