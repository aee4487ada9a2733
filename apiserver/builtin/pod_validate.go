package builtin

import (
	"context"
	"math"
	"reflect"

	"k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// podUpdateText is Kubernetes' answer to an update of what is fixed in a pod, without the difference that follows it
// there.
const podUpdateText = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
	"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

func validatePod(_ context.Context, obj, old resource.Object) field.ErrorList {
	spec, at := fieldsOf(obj, "spec"), field.NewPath("spec")
	if spec == nil {
		spec = map[string]any{}
	}
	errs := validatePodSpec(spec, at)
	if old != nil {
		errs = append(errs, validatePodUpdate(spec, fieldsOf(old, "spec"), at)...)
	}
	return errs
}

// validatePodUpdate lets only the few changes through that a pod allows.
func validatePodUpdate(spec, old map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, list := range []string{"containers", "initContainers"} {
		if len(items(spec, list)) != len(items(old, list)) {
			return append(errs, field.Forbidden(at.Child(list), "pod updates may not add or remove containers"))
		}
	}
	allowed := resource.DeepCopy(spec)
	for _, list := range []string{"containers", "initContainers"} {
		for i, c := range items(allowed, list) {
			if was := asFields(items(old, list)[i]); was != nil {
				keep(asFields(c), was, "image")
			}
		}
	}
	if n, ok := spec["activeDeadlineSeconds"].(int64); ok {
		if was, had := old["activeDeadlineSeconds"].(int64); had && n > was {
			errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), n, "must be less than or equal to previous value"))
		}
		keep(allowed, old, "activeDeadlineSeconds")
	}
	if keeps(items(spec, "tolerations"), items(old, "tolerations")) {
		keep(allowed, old, "tolerations")
	} else {
		errs = append(errs, field.Forbidden(at.Child("tolerations"), "existing toleration can not be modified except its tolerationSeconds"))
	}
	if number(old, "terminationGracePeriodSeconds") < 0 && number(spec, "terminationGracePeriodSeconds") == 1 {
		keep(allowed, old, "terminationGracePeriodSeconds")
	}
	if len(items(old, "schedulingGates")) > 0 { // gates may be removed, and what they held back may be set
		for _, name := range []string{"schedulingGates", "nodeSelector", "affinity"} {
			keep(allowed, old, name)
		}
	}
	if !reflect.DeepEqual(allowed, old) && len(errs) == 0 {
		errs = append(errs, field.Forbidden(at, podUpdateText))
	}
	return errs
}

// keeps says whether every toleration of old is in now, its duration aside.
func keeps(now, old []any) bool {
	for _, o := range old {
		found := false
		for _, n := range now {
			a, b := resource.DeepCopy(asFields(o)), resource.DeepCopy(asFields(n))
			delete(a, "tolerationSeconds")
			delete(b, "tolerationSeconds")
			found = found || reflect.DeepEqual(a, b)
		}
		if !found {
			return false
		}
	}
	return true
}

// validatePodTemplate checks metadata and spec of a pod template.
func validatePodTemplate(template map[string]any, at *field.Path) field.ErrorList {
	meta, metaAt := fieldsOf(template, "metadata"), at.Child("metadata")
	errs := validateLabels(fieldsOf(meta, "labels"), metaAt.Child("labels"))
	errs = append(errs, validation.ValidateAnnotations(stringMap(fieldsOf(meta, "annotations")), metaAt.Child("annotations"))...)
	spec := fieldsOf(template, "spec")
	if spec == nil {
		spec = map[string]any{}
	}
	errs = append(errs, validatePodSpec(spec, at.Child("spec"))...)
	if len(items(spec, "ephemeralContainers")) > 0 {
		errs = append(errs, field.Forbidden(at.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	return errs
}

func validatePodSpec(spec map[string]any, at *field.Path) field.ErrorList {
	volumes, errs := validateVolumes(items(spec, "volumes"), at.Child("volumes"))
	names := map[string]bool{}
	if len(items(spec, "containers")) == 0 {
		errs = append(errs, field.Required(at.Child("containers"), ""))
	}
	errs = append(errs, validateContainers(items(spec, "containers"), names, volumes, at.Child("containers"))...)
	errs = append(errs, validateContainers(items(spec, "initContainers"), names, volumes, at.Child("initContainers"))...)
	if selector := fieldsOf(spec, "nodeSelector"); selector != nil {
		errs = append(errs, validateLabels(selector, at.Child("nodeSelector"))...)
	}
	if name := text(spec, "serviceAccountName"); name != "" {
		errs = append(errs, each(at.Child("serviceAccountName"), name, validation.ValidateServiceAccountName(name, false))...)
	}
	if name := text(spec, "nodeName"); name != "" {
		errs = append(errs, each(at.Child("nodeName"), name, validation.NameIsDNSSubdomain(name, false))...)
	}
	if n, ok := spec["activeDeadlineSeconds"].(int64); ok && (n < 1 || n > math.MaxInt32) {
		errs = append(errs, field.Invalid(at.Child("activeDeadlineSeconds"), n, utilvalidation.InclusiveRangeError(1, math.MaxInt32)))
	}
	for _, name := range []string{"hostname", "subdomain"} {
		if v := text(spec, name); v != "" {
			errs = append(errs, each(at.Child(name), v, utilvalidation.IsDNS1123Label(v))...)
		}
	}
	errs = append(errs, validateTolerations(items(spec, "tolerations"), at.Child("tolerations"))...)
	errs = append(errs, validateAffinity(fieldsOf(spec, "affinity"), at.Child("affinity"))...)
	if name := text(spec, "priorityClassName"); name != "" {
		errs = append(errs, each(at.Child("priorityClassName"), name, validation.NameIsDNSSubdomain(name, false))...)
	}
	return errs
}

func validateTolerations(tolerations []any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, v := range tolerations {
		t, at := asFields(v), at.Index(i)
		key, operator := text(t, "key"), text(t, "operator")
		if key != "" {
			errs = append(errs, metav1validation.ValidateLabelName(key, at.Child("key"))...)
		} else if operator != "Exists" {
			errs = append(errs, field.Invalid(at.Child("operator"), operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
		}
		if t["tolerationSeconds"] != nil && text(t, "effect") != "NoExecute" {
			errs = append(errs, field.Invalid(at.Child("effect"), text(t, "effect"), "effect must be 'NoExecute' when `tolerationSeconds` is set"))
		}
		switch value := text(t, "value"); operator {
		case "", "Equal":
			errs = append(errs, each(at.Child("operator"), value, utilvalidation.IsValidLabelValue(value))...)
		case "Exists":
			if value != "" {
				errs = append(errs, field.Invalid(at.Child("operator"), t, "value must be empty when `operator` is 'Exists'"))
			}
		}
	}
	return errs
}

// validateAffinity checks the required terms between pods, where a missing topology would match everything.
func validateAffinity(affinity map[string]any, at *field.Path) field.ErrorList {
	const required = "requiredDuringSchedulingIgnoredDuringExecution"
	var errs field.ErrorList
	for _, name := range []string{"podAffinity", "podAntiAffinity"} {
		for i, v := range items(affinity, name, required) {
			term, at := asFields(v), at.Child(name, required).Index(i)
			key := text(term, "topologyKey")
			if key == "" {
				errs = append(errs, field.Required(at.Child("topologyKey"), "can not be empty"))
				continue
			}
			errs = append(errs, metav1validation.ValidateLabelName(key, at.Child("topologyKey"))...)
		}
	}
	return errs
}
