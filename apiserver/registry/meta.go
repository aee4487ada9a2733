package registry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// metadata returns the metadata of obj, made if it is missing or not an object.
func metadata(obj resource.Object) map[string]any {
	m, ok := obj["metadata"].(map[string]any)
	if !ok {
		m = map[string]any{}
		obj["metadata"] = m
	}
	return m
}

func metaString(obj resource.Object, name string) string {
	m, _ := obj["metadata"].(map[string]any)
	s, _ := m[name].(string)
	return s
}

func accessor(obj resource.Object) metav1.Object {
	return metaAccessor{&unstructured.Unstructured{Object: obj}}
}

// metaAccessor shows metadata to those who validate it: of managedFields all but the sets of fields, into which they do not
// look, and which take longer to decode than all else takes to validate.
type metaAccessor struct{ *unstructured.Unstructured }

// GetManagedFields implements metav1.Object. Like Unstructured's, it returns nothing where an entry is malformed.
func (a metaAccessor) GetManagedFields() []metav1.ManagedFieldsEntry {
	m, _ := a.Object["metadata"].(map[string]any)
	list, _ := m["managedFields"].([]any)
	out := make([]metav1.ManagedFieldsEntry, len(list))
	for i, e := range list {
		entry, ok := e.(map[string]any)
		if !ok {
			return nil
		}
		head := make(map[string]any, len(entry))
		for name, v := range entry {
			if name != "fieldsV1" {
				head[name] = v
			}
		}
		if err := kruntime.DefaultUnstructuredConverter.FromUnstructured(head, &out[i]); err != nil {
			return nil
		}
	}
	return out
}

func (r *Registry) timestamp() string { return r.now().UTC().Format(time.RFC3339) }

// stampNew gives a new object its identity, and takes from it what only the server may say.
func (r *Registry) stampNew(t *Target, obj resource.Object) {
	m := metadata(obj)
	m["uid"] = string(uuid.NewUUID())
	m["creationTimestamp"] = r.timestamp()
	for _, k := range []string{"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"} {
		delete(m, k)
	}
	if t.Def.Hooks.SpecChanged != nil {
		m["generation"] = int64(1)
	}
}

// Names that the server makes end in five of these: no vowels, so that no words appear.
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789"

const maxGeneratedBase = 58

func generateName(base string) string {
	if len(base) > maxGeneratedBase {
		base = base[:maxGeneratedBase]
	}
	var suffix [5]byte
	for i := range suffix {
		suffix[i] = suffixAlphabet[rand.IntN(len(suffixAlphabet))]
	}
	return base + string(suffix[:])
}

// matchRequest checks that an object is the one that the URL names, and fills in what it leaves open.
func (t *Target) matchRequest(obj resource.Object) error {
	m := metadata(obj)
	ns, _ := m["namespace"].(string)
	switch {
	case !t.Def.Namespaced:
		delete(m, "namespace")
	case ns == "":
		m["namespace"] = t.Namespace
	case ns != t.Namespace:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if t.Name == "" {
		return nil
	}
	name, _ := m["name"].(string)
	switch name {
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", t.Name))
	case t.Name:
		return nil
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, t.Name))
}

func (t *Target) validName(name string, prefix bool) []string {
	if t.Def.ValidateName != nil {
		return t.Def.ValidateName(name, prefix)
	}
	return validation.NameIsDNSSubdomain(name, prefix)
}

// validate checks a whole object: metadata, schema, and the kind's own rules, in Kubernetes' order. old is nil in
// a create.
func (r *Registry) validate(ctx context.Context, t *Target, obj, old resource.Object) error {
	if t.foreign(obj) && !t.AsStored {
		return t.refuseForeign(obj, old)
	}
	meta := accessor(obj)
	path := field.NewPath("metadata")
	errs := validation.ValidateObjectMetaAccessor(meta, t.Def.Namespaced, t.validName, path)
	found := errs
	if old != nil {
		found = validation.ValidateObjectMetaAccessorUpdate(meta, accessor(old), path)
		errs = append(append(errs, found...), found...) // Kubernetes checks that twice, and its causes show it
	}
	if s, ok := t.Version.Schema.(resource.StatusValidator); ok && t.Subresource == "status" && old != nil {
		errs = append(errs, s.ValidateStatus(ctx, obj, old, found)...)
	} else if !t.AsStored { // that is written as it was, but for metadata
		errs = append(errs, t.validateSchema(ctx, obj, old, found)...)
	}
	if t.Def.Hooks.Validate != nil {
		errs = append(errs, t.Def.Hooks.Validate(ctx, obj, old)...)
	}
	if len(errs) == 0 {
		return nil
	}
	if old != nil && t.Def.Group != apiextensionsGroup && !t.Def.Custom {
		errs = distinct(errs)
	}
	return apierrors.NewInvalid(t.Def.GroupKind(), meta.GetName(), errs)
}

// validateSchema has the schema check obj, and tells it what was found in its metadata if it wants to know.
func (t *Target) validateSchema(ctx context.Context, obj, old resource.Object, found field.ErrorList) field.ErrorList {
	if s, ok := t.Version.Schema.(resource.RuleValidator); ok && len(found) > 0 {
		return s.ValidateAfter(ctx, obj, old, found)
	}
	return t.Version.Schema.Validate(ctx, obj, old)
}

// apiextensionsGroup is that of CustomResourceDefinitions, which Kubernetes serves in its own way, as it does custom kinds.
const apiextensionsGroup = "apiextensions.k8s.io"

// distinct drops errors that repeat another, as Kubernetes does in updates of its own kinds.
func distinct(errs field.ErrorList) field.ErrorList {
	seen := map[string]bool{}
	return slices.DeleteFunc(errs, func(e *field.Error) bool {
		text := e.Error()
		repeated := seen[text]
		seen[text] = true
		return repeated
	})
}

// FieldValidation is the fieldValidation parameter of a write.
type FieldValidation string

// The modes of field validation. The empty one is Kubernetes' default, Warn.
const (
	Strict FieldValidation = "Strict"
	Warn   FieldValidation = "Warn"
	Ignore FieldValidation = "Ignore"
)

// maxStrictErrors is how many unknown or duplicate fields one answer names.
const maxStrictErrors = 10

// prune drops what the schema does not know, and answers as fieldValidation asks. strict holds what the decoder
// has found already (duplicate fields).
func (t *Target) prune(ctx context.Context, obj resource.Object, mode FieldValidation, strict []string) error {
	unknown := t.pruneAny(obj)
	if mode == Ignore || len(unknown)+len(strict) == 0 {
		return nil
	}
	for _, p := range unknown {
		strict = append(strict, `unknown field "`+p+`"`) // a quote in it stays as it is
	}
	if len(strict) > maxStrictErrors && mode == Strict {
		strict = strict[:maxStrictErrors]
	}
	if mode == Strict {
		return strictError(strings.Join(strict, ", "))
	}
	for _, s := range strict {
		addDecodingWarnings(ctx, s)
	}
	return nil
}

// addDecodingWarnings warns of a finding of the decoder: YAML's tells of several at once, a line for each.
func addDecodingWarnings(ctx context.Context, finding string) {
	for _, line := range strings.Split(strings.TrimPrefix(strings.TrimPrefix(finding, "error converting YAML to JSON: "), "yaml: unmarshal errors:\n"), "\n") {
		resource.AddWarning(ctx, strings.TrimSpace(line))
	}
}

// strictError is caught by the callers, who know how their request words it.
type strictError string

func (e strictError) Error() string { return "strict decoding error: " + string(e) }

// CannotHandle words the decoding error of an object that says it is a gvk as Kubernetes' create and update do.
func (t *Target) CannotHandle(gvk schema.GroupVersionKind, err error) error {
	return cannotHandle(gvk, t.Def.Names.Kind, err)
}

func cannotHandle(gvk schema.GroupVersionKind, as string, err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", gvk.Kind, gvk.Version, as, err))
}

// intake brings an object as the client sent it into the shape in which the kind's hooks see it.
func (t *Target) intake(ctx context.Context, obj resource.Object, o WriteOptions) error {
	if err := t.checkTypes(obj); err != nil {
		return t.CannotHandle(gvkOf(obj), err)
	}
	if err := t.prune(ctx, obj, o.FieldValidation, o.StrictErrors); err != nil {
		gvk := gvkOf(obj)
		return cannotHandle(gvk, gvk.Kind, err) // it has been decoded as what it is
	}
	if t.Def.Custom && !t.sameVersion(obj) {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)",
			gvkOf(obj).GroupVersion(), t.Def.APIVersion(t.Version.Name)))
	}
	return nil
}
