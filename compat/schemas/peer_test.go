package schemas

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// strategy is what kube-apiserver asks about a custom object before it is stored.
type strategy interface {
	Validate(ctx context.Context, obj kruntime.Object) field.ErrorList
	ValidateUpdate(ctx context.Context, obj, old kruntime.Object) field.ErrorList
}

// peer is kube-apiserver's half of the comparison: one version of one custom kind.
type peer struct {
	structural   *structuralschema.Structural
	whole        strategy
	statusUpdate interface {
		ValidateUpdate(ctx context.Context, obj, old kruntime.Object) field.ErrorList
	}
}

// newPeer prepares a version as kube-apiserver's handler of custom resources does.
func newPeer(v *apiextensionsv1.CustomResourceDefinitionVersion, kind kschema.GroupVersionKind, namespaced bool) (*peer, error) {
	p := &peer{}
	var props *apiextensions.JSONSchemaProps
	if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
		props = &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, props, nil); err != nil {
			return nil, err
		}
		s, err := structuralschema.NewStructural(props)
		if err != nil {
			return nil, err
		}
		p.structural = s.DeepCopy()
		if err := defaulting.PruneDefaults(p.structural); err != nil {
			return nil, err
		}
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		return nil, err
	}
	var status *apiextensions.CustomResourceSubresourceStatus
	var statusValidator validation.SchemaValidator
	if v.Subresources != nil && v.Subresources.Status != nil {
		status = &apiextensions.CustomResourceSubresourceStatus{}
		if props != nil {
			if s, ok := props.Properties["status"]; ok {
				if statusValidator, _, err = validation.NewSchemaValidator(&s); err != nil {
					return nil, err
				}
			}
		}
	}
	s := customresource.NewStrategy(nil, namespaced, kind, validator, statusValidator, p.structural, status, nil, nil)
	p.whole, p.statusUpdate = s, customresource.NewStatusStrategy(s)
	return p, nil
}

// decode does to obj, in place, what kube-apiserver does to a request's body: unknown members go, metadata becomes
// what an ObjectMeta can say, nulls go, defaults come. unknown are the paths that it would tell of.
func (p *peer) decode(obj map[string]any) (unknown []string, err error) {
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(obj, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil, err
	}
	kind, apiVersion := obj["kind"], obj["apiVersion"]
	unknown = append(unknown, pruning.PruneWithOptions(obj, p.structural, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	defaulting.PruneNonNullableNullsWithoutDefaults(obj, p.structural)
	fieldErr, more := objectmeta.CoerceWithOptions(nil, obj, p.structural, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if fieldErr != nil {
		return nil, fmt.Errorf("%w", fieldErr)
	}
	obj["kind"], obj["apiVersion"] = kind, apiVersion
	if found {
		if err := objectmeta.SetObjectMeta(obj, meta); err != nil {
			return nil, err
		}
	}
	defaulting.Default(obj, p.structural)
	return append(unknown, more...), nil
}

func (p *peer) validate(obj, old map[string]any) field.ErrorList {
	if old == nil {
		return p.whole.Validate(context.Background(), &unstructured.Unstructured{Object: obj})
	}
	return p.whole.ValidateUpdate(context.Background(), &unstructured.Unstructured{Object: obj}, &unstructured.Unstructured{Object: old})
}

func (p *peer) validateStatus(obj, old map[string]any) field.ErrorList {
	return p.statusUpdate.ValidateUpdate(context.Background(), &unstructured.Unstructured{Object: obj}, &unstructured.Unstructured{Object: old})
}
