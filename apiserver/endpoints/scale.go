package endpoints

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// scale serves autoscaling/v1 Scale over an object: spec.replicas is the only thing that can be written.
func (c *call) scale(s *resource.Scale) error {
	out, err := c.negotiate(false)
	if err != nil {
		return err
	}
	ctx, main := c.r.Context(), c.t
	main.Subresource = ""
	if c.info.Verb == "get" {
		data, err := c.api.registry.Get(ctx, main, c.r.URL.Query().Get("resourceVersion"))
		if err != nil {
			return err
		}
		return c.writeScale(out, s, data)
	}
	o, change, config, err := c.scaleChange(s)
	if err != nil {
		return err
	}
	o.Through = "scale"
	if config != nil {
		whole, err := c.unscaled(s, config)
		if err != nil {
			return err
		}
		res, err := c.api.registry.Apply(ctx, main, whole, o)
		if err != nil {
			return err
		}
		return c.writeScale(out, s, res.Data)
	}
	res, err := c.api.registry.Modify(ctx, main, o, func(obj resource.Object) (resource.Object, error) {
		current, err := scaleOf(s, obj)
		if err != nil {
			return nil, err
		}
		wanted, err := change(current)
		if err != nil {
			return nil, err
		}
		if wanted.ResourceVersion != "" && wanted.ResourceVersion != current.ResourceVersion {
			return nil, apierrors.NewConflict(c.t.Def.GroupResource(), c.t.Name, registry.ErrModified)
		}
		if wanted.Spec.Replicas < 0 && !c.t.Def.Custom { // a custom object's own validation has words for it
			return nil, apierrors.NewInvalid(schema.GroupKind{Group: "autoscaling", Kind: "Scale"}, c.t.Name, field.ErrorList{
				field.Invalid(field.NewPath("spec", "replicas"), wanted.Spec.Replicas, "must be greater than or equal to 0"),
			})
		}
		return obj, unstructured.SetNestedField(obj, int64(wanted.Spec.Replicas), s.SpecReplicas...)
	})
	if err != nil {
		return err
	}
	return c.writeScale(out, s, res.Data)
}

// unscaled turns the applied configuration of a Scale into that of the object.
func (c *call) unscaled(s *resource.Scale, config resource.Object) (resource.Object, error) {
	scale := autoscalingv1.SchemeGroupVersion.WithKind("Scale")
	if gvk := (&unstructured.Unstructured{Object: config}).GroupVersionKind(); gvk != scale {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("invalid object type: %v", gvk))
	}
	obj := resource.Object{"apiVersion": c.t.Def.APIVersion(c.t.Version.Name), "kind": c.t.Def.Names.Kind}
	if m, ok := config["metadata"].(map[string]any); ok {
		obj["metadata"] = m
	}
	replicas, found, err := unstructured.NestedInt64(config, "spec", "replicas")
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if found {
		err = unstructured.SetNestedField(obj, replicas, s.SpecReplicas...)
	}
	return obj, err
}

// scaleChange reads a PUT or PATCH of a Scale as a function on it, or as the configuration that is applied.
func (c *call) scaleChange(s *resource.Scale) (o registry.WriteOptions, change func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error), config resource.Object, err error) {
	if c.info.Verb == "update" {
		o, err = parseWriteQuery(c.r, "UpdateOptions")
		if err != nil {
			return o, nil, nil, err
		}
		body, err := c.readBody()
		if err != nil {
			return o, nil, nil, err
		}
		def := &resource.Definition{Group: "autoscaling", Names: resource.Names{Kind: "Scale", Plural: "scales"}}
		t := &registry.Target{Def: def, Version: &resource.Version{Name: "v1", GoType: &autoscalingv1.Scale{}}}
		d, err := decodeObject(c.r, t, body, false, c.api.registered)
		if err != nil {
			return o, nil, nil, err
		}
		wanted, err := toScale(d.obj)
		if err != nil {
			return o, nil, nil, t.CannotHandle(autoscalingv1.SchemeGroupVersion.WithKind("Scale"), err)
		}
		if wanted.Name != c.t.Name && wanted.Name != "" {
			return o, nil, nil, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", wanted.Name, c.t.Name))
		}
		return o, func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error) { return wanted, nil }, nil, nil
	}
	var p *patch.Patch
	o, p, err = c.readPatch(&autoscalingv1.Scale{})
	if err != nil {
		return o, nil, nil, err
	}
	return o, func(current *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
		obj, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(current)
		if err != nil {
			return nil, err
		}
		if obj, err = p.Apply(obj); err != nil {
			return nil, patchFailed(err)
		}
		scale, err := toScale(obj)
		if err != nil {
			return nil, invalidPatch(p.Shown(obj), err)
		}
		return scale, nil
	}, p.Config, nil
}

// toScale decodes a Scale. The error is the decoder's.
func toScale(obj resource.Object) (*autoscalingv1.Scale, error) {
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	wanted := &autoscalingv1.Scale{}
	return wanted, kjson.UnmarshalCaseSensitivePreserveInts(raw, wanted)
}

func (c *call) writeScale(out output, s *resource.Scale, data []byte) error {
	obj, err := resource.Decode(data)
	if err != nil {
		return err
	}
	if _, found, _ := unstructured.NestedFieldNoCopy(obj, s.SpecReplicas...); !found {
		return apierrors.NewInternalError(fmt.Errorf("the spec replicas field %q does not exist", "."+strings.Join(s.SpecReplicas, ".")))
	}
	scale, err := scaleOf(s, obj)
	if err != nil {
		return err
	}
	m, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(scale)
	if err != nil {
		return err
	}
	raw, err := resource.Encode(m)
	if err != nil {
		return err
	}
	writeObject(c.w, c.r, out, http.StatusOK, raw)
	return nil
}

// scaleOf reads the Scale out of an object.
func scaleOf(s *resource.Scale, obj resource.Object) (*autoscalingv1.Scale, error) {
	u := &unstructured.Unstructured{Object: obj}
	scale := &autoscalingv1.Scale{
		TypeMeta: metav1.TypeMeta{Kind: "Scale", APIVersion: "autoscaling/v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name: u.GetName(), Namespace: u.GetNamespace(), UID: u.GetUID(),
			ResourceVersion: u.GetResourceVersion(), CreationTimestamp: u.GetCreationTimestamp(),
		},
	}
	var err error
	if scale.Spec.Replicas, err = replicas(obj, s.SpecReplicas); err != nil {
		return nil, err
	}
	if scale.Status.Replicas, err = replicas(obj, s.StatusReplicas); err != nil {
		return nil, err
	}
	if len(s.Selector) == 0 {
		return scale, nil
	}
	if !s.SelectorObject {
		scale.Status.Selector, _, _ = unstructured.NestedString(obj, s.Selector...)
		return scale, nil
	}
	m, _, _ := unstructured.NestedMap(obj, s.Selector...)
	var selector metav1.LabelSelector
	if err := kruntime.DefaultUnstructuredConverter.FromUnstructured(m, &selector); err != nil {
		return nil, err
	}
	parsed, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return nil, err
	}
	scale.Status.Selector = parsed.String()
	return scale, nil
}

func replicas(obj resource.Object, path []string) (int32, error) {
	n, found, err := unstructured.NestedInt64(obj, path...)
	if err != nil {
		return 0, apierrors.NewInternalError(err)
	}
	if found && (n < 0 || n > 1<<31-1) {
		return 0, apierrors.NewInternalError(fmt.Errorf("%s holds %d, which is no number of replicas", strings.Join(path, "."), n))
	}
	return int32(n), nil
}
