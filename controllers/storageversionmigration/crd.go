package storageversionmigration

import (
	"context"
	"encoding/json"
	"slices"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime/client"
)

// crdManager is under which name Kubernetes writes the status of CustomResourceDefinitions around a migration.
const crdManager = "migration-runner-controller"

// crdOf is the definition of the kind that m migrates, nil where that is no custom kind.
func (r *reconciler) crdOf(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) (*apiextensionsv1.CustomResourceDefinition, error) {
	if m.Spec.Resource.Group == "" {
		return nil, nil
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err := r.direct.Get(ctx, client.ObjectKey{Name: m.Spec.Resource.Resource + "." + m.Spec.Resource.Group}, crd)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return crd, err
}

// beginOnCRD says on the definition that a migration runs, and of which generation of it.
func (r *reconciler) beginOnCRD(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition, m *storagemigrationv1.StorageVersionMigration) error {
	if crd == nil {
		return nil
	}
	return r.patchCRD(ctx, crd, apiextensionsv1.ConditionTrue, reasonRunning, "Migration "+m.Name+" is running", nil)
}

// endOnCRD says on the definition that the migration runs no longer and, where it left no object in an older version,
// which one is stored. A definition that has changed since the migration began may store another version by now.
func (r *reconciler) endOnCRD(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, succeeded bool) error {
	crd, err := r.crdOf(ctx, m)
	if err != nil || crd == nil {
		return err
	}
	if !succeeded {
		return r.patchCRD(ctx, crd, apiextensionsv1.ConditionFalse, "MigrationFailed", "The migration has failed", nil)
	}
	message, stored := "The migration has succeeded but the stored versions have not been updated due to a generation mismatch", []string(nil)
	if i := migrating(crd); i >= 0 && crd.Status.Conditions[i].ObservedGeneration == crd.Generation {
		message, stored = "The migration has succeeded and the stored versions have been updated", []string{storageVersion(crd)}
	}
	return r.patchCRD(ctx, crd, apiextensionsv1.ConditionFalse, "MigrationSucceeded", message, stored)
}

// patchCRD sets the condition StorageMigrating and, where stored is not nil, storedVersions. It fails with a Conflict where
// the definition is not crd any more: its generation is part of what is written.
func (r *reconciler) patchCRD(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition, status apiextensionsv1.ConditionStatus, reason, message string, stored []string) error {
	now := apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.StorageMigrating, Status: status, LastTransitionTime: metav1.Now(),
		Reason: reason, Message: message, ObservedGeneration: crd.Generation,
	}
	conditions := slices.Clone(crd.Status.Conditions)
	if i := migrating(crd); i < 0 {
		conditions = append(conditions, now)
	} else {
		if conditions[i].Status == status {
			now.LastTransitionTime = conditions[i].LastTransitionTime
		}
		conditions[i] = now
	}
	change := map[string]any{"conditions": conditions}
	if stored != nil {
		change["storedVersions"] = stored
	}
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": crd.ResourceVersion}, "status": change})
	if err != nil {
		return err
	}
	return r.direct.Status().Patch(ctx, crd, client.RawPatch(types.MergePatchType, data), client.FieldOwner(crdManager))
}

// migrating is the index of the condition StorageMigrating, -1 where there is none.
func migrating(crd *apiextensionsv1.CustomResourceDefinition) int {
	return slices.IndexFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.StorageMigrating
	})
}

func storageVersion(crd *apiextensionsv1.CustomResourceDefinition) string {
	for _, v := range crd.Spec.Versions {
		if v.Storage {
			return v.Name
		}
	}
	return ""
}
