package crd

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/rules"
)

// Definition returns the kind CustomResourceDefinition itself. Its hooks ask the installer which names are taken, and
// hold the answer to a write back until the installer has applied it, so that a kind is served when its creation is
// answered.
func Definition(installer *Installer) *resource.Definition {
	k := &kind{installer: installer}
	return &resource.Definition{
		Group: apiextensionsv1.GroupName,
		Names: resource.Names{
			Plural: "customresourcedefinitions", Singular: "customresourcedefinition",
			Kind: "CustomResourceDefinition", ListKind: "CustomResourceDefinitionList",
			ShortNames: []string{"crd", "crds"}, Categories: []string{"api-extensions"},
		},
		Versions: []resource.Version{{
			Name: "v1", Served: true, Schema: kindSchema{},
			Columns:      kindColumns(),
			Reset:        [][]string{{"status"}},
			Subresources: map[string]*resource.Subresource{"status": {Merge: mergeKindStatus, Reset: [][]string{{"spec"}}}},
			GoType:       &apiextensionsv1.CustomResourceDefinition{},
		}},
		Storage: "v1",
		MaxBody: maxKindBody, DecodeNew: readKind, Bulky: true, RevisionRequired: true,
		Prefix: "/registry/apiextensions.k8s.io/customresourcedefinitions/",
		Hooks: resource.Hooks{
			PrepareCreate: k.prepareCreate,
			PrepareUpdate: k.prepareUpdate,
			Validate:      validateConversion,
			Warnings:      warn,
			SpecChanged:   specOfKindChanged,
			BeginDelete:   beginDelete,
			Stored: func(ctx context.Context, _ resource.Object, revision int64, _ bool) error {
				return installer.WaitFor(ctx, revision)
			},
		},
	}
}

type kind struct{ installer *Installer }

// prepareCreate sets the status that Kubernetes' controllers would: names, conditions, stored versions.
func (k *kind) prepareCreate(_ context.Context, obj resource.Object) {
	delete(obj, "status")
	k.installer.writeStatus(obj, 1, time.Now())
}

func (k *kind) prepareUpdate(_ context.Context, obj, old resource.Object) {
	move(obj, old, "status")
	metadata, _ := old["metadata"].(map[string]any)
	generation, _ := metadata["generation"].(int64)
	if specOfKindChanged(obj, old) {
		generation++
	}
	k.installer.writeStatus(obj, generation, time.Now())
}

func specOfKindChanged(obj, old resource.Object) bool {
	return !reflect.DeepEqual(obj["spec"], old["spec"])
}

// mergeKindStatus keeps all that was sent but for spec: Kubernetes lets writers to the status change metadata, too (the
// server lets go of its own finalizer here).
func mergeKindStatus(sent, current resource.Object) resource.Object {
	out := maps.Clone(sent)
	move(out, current, "spec")
	return out
}

// beginDelete adds the finalizer under which the instances are deleted, and says what is going to happen. What is to
// become of the definition's own dependents is not asked the first time.
func beginDelete(_ context.Context, obj resource.Object, _ *metav1.DeleteOptions) (stays bool) {
	metadata, _ := obj["metadata"].(map[string]any)
	if metadata["deletionTimestamp"] != nil {
		return false
	}
	if finalizers, _ := metadata["finalizers"].([]any); !slices.Contains(finalizers, any(finalizer)) {
		metadata["finalizers"] = append(slices.Clone(finalizers), finalizer)
	}
	if s, err := readStatus(obj, time.Now()); err == nil {
		s.set(apiextensionsv1.CustomResourceDefinitionCondition{
			Type: apiextensionsv1.Terminating, Status: apiextensionsv1.ConditionTrue, Reason: "InstanceDeletionPending",
			Message:            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
			ObservedGeneration: s.Generation,
		})
		s.write(obj)
	}
	return true
}

// kindSchema is the schema of CustomResourceDefinitions: the Go type, as it decodes and encodes.
type kindSchema struct{}

// CheckTypes implements resource.TypeChecker.
func (kindSchema) CheckTypes(obj resource.Object) error {
	if err := checkKindSize(obj); err != nil {
		return err
	}
	if s, ok := slimOf(obj); ok {
		obj = s.obj
	}
	raw, err := resource.Encode(obj)
	if err != nil {
		return err
	}
	return kjson.UnmarshalCaseSensitivePreserveInts(raw, &apiextensionsv1.CustomResourceDefinition{})
}

// Prune implements resource.Schema: what the Go type does not hold is gone, nulls included.
func (kindSchema) Prune(obj resource.Object) []string {
	s, ok := slimOf(obj)
	if !ok {
		return roundTrip(obj)
	}
	unknown := roundTrip(s.obj)
	s.restore(s.obj)
	clear(obj)
	maps.Copy(obj, s.obj)
	return unknown
}

// roundTrip makes obj what its decoding into the Go type and encoding again gives, and returns the unknown fields.
func roundTrip(obj resource.Object) []string {
	raw, err := resource.Encode(obj)
	if err != nil {
		return nil
	}
	var c apiextensionsv1.CustomResourceDefinition
	strict, err := kjson.UnmarshalStrict(raw, &c, kjson.DisallowUnknownFields)
	if err != nil {
		return nil // CheckTypes has told of it
	}
	var unknown []string
	for _, e := range strict {
		var f kjson.FieldError
		if errors.As(e, &f) {
			unknown = append(unknown, f.FieldPath())
		}
	}
	slices.Sort(unknown)
	if raw, err = json.Marshal(&c); err != nil {
		return unknown
	}
	clean, err := resource.Decode(raw)
	if err != nil {
		return unknown
	}
	if _, sent := obj["status"]; !sent {
		delete(clean, "status")
	}
	clear(obj)
	maps.Copy(obj, clean)
	return unknown
}

// Default implements resource.Schema.
func (kindSchema) Default(obj resource.Object) { rules.Default(obj) }

// Validate implements resource.Schema.
func (kindSchema) Validate(ctx context.Context, obj, old resource.Object) field.ErrorList {
	c, err := typed(obj)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	if old == nil {
		return rules.ValidateCreate(ctx, c)
	}
	before, err := typed(old)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	return rules.ValidateUpdate(ctx, c, before)
}

// ValidateStatus implements resource.StatusValidator.
func (kindSchema) ValidateStatus(_ context.Context, obj, _ resource.Object, _ field.ErrorList) field.ErrorList {
	s, err := readStatus(obj, time.Time{})
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	return rules.ValidateStatus(s.CustomResourceDefinition)
}

// ModelName is the name under which the schema is published.
func (kindSchema) ModelName() string {
	return "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
}

// OpenAPI implements resource.Schema: a reference to the model of that name.
func (s kindSchema) OpenAPI() *spec.Schema {
	return spec.RefSchema("#/components/schemas/" + s.ModelName())
}

// warn tells of what is accepted and yet of no use.
func warn(_ context.Context, obj, old resource.Object) []string {
	if old != nil && reflect.DeepEqual(obj["spec"], old["spec"]) {
		return nil
	}
	c, err := typed(obj)
	if err != nil {
		return nil // validation tells
	}
	if old == nil {
		return rules.Warnings(c, nil)
	}
	before, err := typed(old)
	if err != nil {
		return nil
	}
	return rules.Warnings(c, before)
}
