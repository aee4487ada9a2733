package registry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// foreign says whether an object that was sent for a custom kind says itself that it is of another kind or version.
// Kubernetes decodes such an object, as what it says it is if that is a version of the kind, before it refuses it: the
// answer may be about something else.
func (t *Target) foreign(obj resource.Object) bool {
	return t.Def.Custom && (obj["kind"] != t.Def.Names.Kind || !t.sameVersion(obj))
}

// sameVersion says whether obj, of a custom kind, says that it is of the target's version.
func (t *Target) sameVersion(obj resource.Object) bool {
	apiVersion, _ := obj["apiVersion"].(string)
	group, version, _ := strings.Cut(apiVersion, "/")
	return group == t.Def.Group && version == t.Version.Name
}

func gvkOf(obj resource.Object) schema.GroupVersionKind {
	apiVersion, _ := obj["apiVersion"].(string)
	kind, _ := obj["kind"].(string)
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// checkVersioned refuses the update of a custom object that does not say its version any more.
func (t *Target) checkVersioned(obj resource.Object) error {
	if apiVersion, _ := obj["apiVersion"].(string); t.Def.Custom && apiVersion == "" {
		return apierrors.NewInternalError(errors.New("Object 'apiVersion' is missing in 'object has no apiVersion field'"))
	}
	return nil
}

// refuseForeign is validate for a foreign object: beyond its type, only an update looks at its metadata, too.
func (t *Target) refuseForeign(obj, old resource.Object) error {
	gvk := gvkOf(obj)
	var errs field.ErrorList
	if old != nil {
		path := field.NewPath("metadata")
		errs = append(validation.ValidateObjectMetaAccessor(accessor(obj), t.Def.Namespaced, t.validName, path),
			validation.ValidateObjectMetaAccessorUpdate(accessor(obj), accessor(old), path)...)
	}
	if gvk.Kind != t.Def.Names.Kind {
		errs = append(errs, field.Invalid(field.NewPath("kind"), gvk.Kind, fmt.Sprintf("must be %v", t.Def.Names.Kind)))
	}
	if !t.sameVersion(obj) {
		errs = append(errs, field.Invalid(field.NewPath("apiVersion"), obj["apiVersion"], fmt.Sprintf("must be %v", t.Def.APIVersion(t.Version.Name))))
	}
	return apierrors.NewInvalid(gvk.GroupKind(), metaString(obj, "name"), errs)
}

// checkTypes returns why obj cannot be decoded.
func (t *Target) checkTypes(obj resource.Object) error {
	s := t.Version.Schema
	if t.foreign(obj) {
		if s, obj = t.schemaOf(obj); s == nil {
			s = t.Version.Schema
		}
	}
	if c, ok := s.(resource.TypeChecker); ok {
		return c.CheckTypes(obj)
	}
	return nil
}

// pruneAny is Schema.Prune for any object, foreign ones too.
func (t *Target) pruneAny(obj resource.Object) []string {
	if !t.foreign(obj) {
		return t.Version.Schema.Prune(obj)
	}
	s, part := t.schemaOf(obj)
	if s != nil {
		return s.Prune(part)
	}
	unknown := t.Version.Schema.Prune(part)
	obj["metadata"] = part["metadata"]
	if gvk := gvkOf(obj); gvk.GroupKind() == t.Def.GroupKind() { // a version that there is not
		for _, name := range slices.Sorted(maps.Keys(obj)) {
			if name != "apiVersion" && name != "kind" && name != "metadata" {
				delete(obj, name)
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}

// schemaOf returns the schema of a foreign object, if its kind is the target's, and the object; otherwise nil and what of
// it is looked at in any case.
func (t *Target) schemaOf(obj resource.Object) (resource.Schema, resource.Object) {
	if gvk := gvkOf(obj); gvk.GroupKind() == t.Def.GroupKind() {
		if v := t.Def.Version(gvk.Version); v != nil {
			return v.Schema, obj
		}
	}
	head := resource.Object{"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
	if metadata, ok := obj["metadata"]; ok {
		head["metadata"] = metadata
	}
	return nil, head
}
