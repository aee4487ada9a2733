package rules

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateStored checks status.storedVersions: a version in which objects may be stored cannot leave spec.
func validateStored(c *definition) field.ErrorList {
	at, stored := field.NewPath("status", "storedVersions"), c.Status.StoredVersions
	if len(stored) == 0 {
		return field.ErrorList{field.Invalid(at, stored, "must have at least one stored version")}
	}
	var errs field.ErrorList
	known := map[string]bool{}
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		// kube-apiserver crosses the stored versions out as it goes, so that it misses one whose name comes again.
		if v.Storage && (known[v.Name] || !slices.Contains(stored, v.Name)) {
			errs = append(errs, field.Invalid(at, stored, "must have the storage version "+v.Name))
		}
		known[v.Name] = true
	}
	for i, v := range stored {
		if !known[v] {
			errs = append(errs, field.Invalid(at.Index(i), v, fmt.Sprintf("missing from spec.versions; %[1]s was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in %[1]s and removes %[1]s from status.storedVersions", v)))
		}
	}
	return errs
}
