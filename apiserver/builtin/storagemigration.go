package builtin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	storagemigrationv1beta1 "k8s.io/api/storagemigration/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// storageVersionMigration is carried out by controllers/storageversionmigration. Kubernetes 1.37 serves v1 alone, and
// stores v1beta1, so that the release before can still read it.
func (k kinds) storageVersionMigration() *resource.Definition {
	schema := k.compiler.Schema("io.k8s.api.storagemigration.v1.StorageVersionMigration", &storagemigrationv1.StorageVersionMigration{}, nil)
	return &resource.Definition{
		Group: "storagemigration.k8s.io",
		Names: resource.Names{
			Plural: "storageversionmigrations", Singular: "storageversionmigration",
			Kind: "StorageVersionMigration", ListKind: "StorageVersionMigrationList",
		},
		Storage: "v1beta1", Prefix: "/registry/storageversionmigrations/", RevisionRequired: true,
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &storagemigrationv1.StorageVersionMigration{}, Schema: schema,
			Columns: []resource.Column{
				column("Resource", "string", "GroupResource to migrate", func(obj resource.Object) any {
					target := migratedResource(obj)
					return target.String()
				}),
				column("Status", "string", "Status of the migration", migrationStatus),
			},
			Reset:        statusOnly(),
			Subresources: map[string]*resource.Subresource{"status": {Merge: mergeStatusAlone, Reset: [][]string{{"metadata"}, {"spec"}}}},
		}, {
			// The same shape. Its Go type reads what kube-apiserver has stored.
			Name: "v1beta1", GoType: &storagemigrationv1beta1.StorageVersionMigration{}, Schema: schema,
		}},
		Hooks: resource.Hooks{
			PrepareCreate: func(_ context.Context, obj resource.Object) { obj["status"] = map[string]any{} },
			Validate:      validateMigration,
		},
	}
}

// mergeStatusAlone lets a write to the status subresource change the status and, of metadata, who manages what.
func mergeStatusAlone(sent, current resource.Object) resource.Object {
	keep(current, sent, "status")
	metadata := maps.Clone(fieldsOf(current, "metadata"))
	keep(metadata, fieldsOf(sent, "metadata"), "managedFields")
	current["metadata"] = metadata
	return current
}

func migratedResource(obj resource.Object) metav1.GroupResource {
	return metav1.GroupResource{Group: text(obj, "spec", "resource", "group"), Resource: text(obj, "spec", "resource", "resource")}
}

// migrationStatus is the last condition that is true, as kubectl prints it.
func migrationStatus(obj resource.Object) any {
	status := "Unknown"
	for _, c := range items(obj, "status", "conditions") {
		c := asFields(c)
		switch kind := text(c, "type"); storagemigrationv1.MigrationConditionType(kind) {
		case storagemigrationv1.MigrationRunning, storagemigrationv1.MigrationSucceeded, storagemigrationv1.MigrationFailed:
			if text(c, "status") == "True" {
				status = kind
			}
		}
	}
	return status
}

func validateMigration(_ context.Context, obj, old resource.Object) field.ErrorList {
	var errs field.ErrorList
	target, at := migratedResource(obj), field.NewPath("spec", "resource")
	if target.Resource == "" {
		errs = append(errs, field.Required(at.Child("resource"), "resource is required to be set"))
	} else if wrong := utilvalidation.IsDNS1035Label(target.Resource); len(wrong) > 0 {
		errs = append(errs, field.Invalid(at.Child("resource"), target.Resource, strings.Join(wrong, ",")))
	}
	if target.Group != "" {
		if wrong := utilvalidation.IsDNS1123Subdomain(target.Group); len(wrong) > 0 {
			errs = append(errs, field.Invalid(at.Child("group"), target.Group, strings.Join(wrong, ",")))
		}
	}
	if old == nil {
		return errs
	}
	if target != migratedResource(old) {
		// Kubernetes prints its internal type here, whose field has no JSON name.
		errs = append(errs, immutable(field.NewPath("spec"), map[string]any{"Resource": target}))
	}
	return append(errs, validateMigrationStatus(fieldsOf(obj, "status"), fieldsOf(old, "status"))...)
}

func validateMigrationStatus(status, old map[string]any) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("status")
	rv, was := text(status, "resourceVersion"), text(old, "resourceVersion")
	if rv != "" {
		if _, err := resourceversion.CompareResourceVersion(rv, rv); err != nil {
			errs = append(errs, field.Invalid(at.Child("resourceVersion"), rv, err.Error()))
		}
	}
	conditions, err := conditionsOf(status)
	if err != nil {
		return append(errs, field.InternalError(at.Child("conditions"), err))
	}
	errs = append(errs, metav1validation.ValidateConditions(conditions, at.Child("conditions"))...)
	if was != "" && was != rv {
		errs = append(errs, immutable(at.Child("resourceVersion"), rv))
	}
	succeeded, failed := string(storagemigrationv1.MigrationSucceeded), string(storagemigrationv1.MigrationFailed)
	if meta.IsStatusConditionTrue(conditions, succeeded) && meta.IsStatusConditionTrue(conditions, failed) {
		errs = append(errs, field.Invalid(at.Child("conditions"), conditions, "Both success and failed conditions cannot be true at the same time"))
	}
	before, err := conditionsOf(old)
	if err != nil {
		return append(errs, field.InternalError(at.Child("conditions"), err))
	}
	for _, end := range []struct{ kind, word string }{{succeeded, "Success"}, {failed, "Failed"}} {
		if meta.IsStatusConditionTrue(before, end.kind) && !meta.IsStatusConditionTrue(conditions, end.kind) {
			errs = append(errs, field.Invalid(at.Child("conditions"), conditions, fmt.Sprintf("%s condition cannot be set to false once it is true", end.word)))
		}
	}
	return errs
}

// conditionsOf decodes the conditions of a status, whose types have been checked.
func conditionsOf(status map[string]any) ([]metav1.Condition, error) {
	data, err := json.Marshal(items(status, "conditions"))
	if err != nil {
		return nil, err
	}
	var conditions []metav1.Condition
	return conditions, json.Unmarshal(data, &conditions)
}
