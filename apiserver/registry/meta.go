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
	meta := accessor(obj)
	path := field.NewPath("metadata")
	errs := validation.ValidateObjectMetaAccessor(meta, t.Def.Namespaced, t.validName, path)
	if old != nil {
		changes := validation.ValidateObjectMetaAccessorUpdate(meta, accessor(old), path)
		errs = append(append(errs, changes...), changes...) // Kubernetes checks that twice, and its causes show it
	}
	if s, ok := t.Version.Schema.(resource.StatusValidator); ok && t.Subresource == "status" && old != nil {
		errs = append(errs, s.ValidateStatus(ctx, obj, old)...)
	} else if !t.AsStored { // that is written as it was, but for metadata
		errs = append(errs, t.Version.Schema.Validate(ctx, obj, old)...)
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
	unknown := t.Version.Schema.Prune(obj)
	if mode == Ignore || len(unknown)+len(strict) == 0 {
		return nil
	}
	for _, p := range unknown {
		strict = append(strict, fmt.Sprintf("unknown field %q", p))
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

// cannotHandle words a decoding error as Kubernetes' create and update do.
func (t *Target) cannotHandle(err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", t.Def.Names.Kind, t.Version.Name, t.Def.Names.Kind, err))
}

// intake brings an object as the client sent it into the shape in which the kind's hooks see it.
func (t *Target) intake(ctx context.Context, obj resource.Object, o WriteOptions) error {
	if c, ok := t.Version.Schema.(resource.TypeChecker); ok {
		if err := c.CheckTypes(obj); err != nil {
			return t.cannotHandle(err)
		}
	}
	if err := t.prune(ctx, obj, o.FieldValidation, o.StrictErrors); err != nil {
		return t.cannotHandle(err)
	}
	return nil
}
