package builtin

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

func (k kinds) deployment() *resource.Definition {
	return &resource.Definition{
		Group: "apps",
		Names: resource.Names{
			Plural: "deployments", Singular: "deployment", Kind: "Deployment", ListKind: "DeploymentList",
			ShortNames: []string{"deploy"}, Categories: []string{"all"},
		},
		Namespaced: true, Storage: "v1", Prefix: "/registry/deployments/",
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &appsv1.Deployment{},
			Schema:  k.compiler.Schema("io.k8s.api.apps.v1.Deployment", &appsv1.Deployment{}, nil),
			Columns: deploymentColumns(),
			Reset:   statusOnly(),
			Subresources: map[string]*resource.Subresource{
				"status": status([]string{"metadata", "labels"}),
				"scale": {Scale: &resource.Scale{
					SpecReplicas: []string{"spec", "replicas"}, StatusReplicas: []string{"status", "replicas"},
					Selector: []string{"spec", "selector"}, SelectorObject: true,
				}},
			},
		}},
		Hooks: resource.Hooks{
			PrepareCreate: func(_ context.Context, obj resource.Object) { obj["status"] = map[string]any{} },
			Validate:      validateDeployment,
			SpecChanged: func(obj, old resource.Object) bool {
				return !resource.Equal(obj["spec"], old["spec"]) ||
					!same(value(obj, "metadata", "annotations"), value(old, "metadata", "annotations"))
			},
		},
	}
}

func deploymentColumns() []resource.Column {
	doc := appsv1.DeploymentStatus{}.SwaggerDoc()
	return append([]resource.Column{
		column("Ready", "string", "Number of the pod with ready state", func(obj resource.Object) any {
			return ratio(number(obj, "status", "readyReplicas"), number(obj, "spec", "replicas"))
		}),
		column("Up-to-date", "string", doc["updatedReplicas"], func(obj resource.Object) any { return number(obj, "status", "updatedReplicas") }),
		column("Available", "string", doc["availableReplicas"], func(obj resource.Object) any { return number(obj, "status", "availableReplicas") }),
		ageColumn(),
	}, templateColumns(appsv1.DeploymentSpec{}.SwaggerDoc()["selector"])...)
}

// templateColumns are those of kinds that make pods from a template; selector is the description of theirs.
func templateColumns(selector string) []resource.Column {
	return []resource.Column{
		wide(column("Containers", "string", "Names of each container in the template.", func(obj resource.Object) any {
			names, _ := containerCells(fieldsOf(obj, "spec", "template", "spec"))
			return names
		})),
		wide(column("Images", "string", "Images referenced by each container in the template.", func(obj resource.Object) any {
			_, images := containerCells(fieldsOf(obj, "spec", "template", "spec"))
			return images
		})),
		wide(column("Selector", "string", selector, func(obj resource.Object) any {
			return labelSelectorText(fieldsOf(obj, "spec", "selector"))
		})),
	}
}

func validateDeployment(_ context.Context, obj, old resource.Object) field.ErrorList {
	spec, at := fieldsOf(obj, "spec"), field.NewPath("spec")
	errs := notNegative(spec, "replicas", at)
	selector, more := validateTemplateSelector(spec["selector"], at.Child("selector"))
	errs = append(errs, more...)
	if selector != nil {
		errs = append(errs, validateReplicatedTemplate(fieldsOf(spec, "template"), selector, at.Child("template"))...)
	}
	errs = append(errs, validateStrategy(fieldsOf(spec, "strategy"), at.Child("strategy"))...)
	errs = append(errs, notNegative(spec, "minReadySeconds", at)...)
	errs = append(errs, notNegative(spec, "revisionHistoryLimit", at)...)
	if n, ok := spec["progressDeadlineSeconds"].(int64); ok {
		errs = append(errs, notNegative(spec, "progressDeadlineSeconds", at)...)
		if n <= number(spec, "minReadySeconds") {
			errs = append(errs, field.Invalid(at.Child("progressDeadlineSeconds"), n, "must be greater than minReadySeconds"))
		}
	}
	if old != nil && !same(spec["selector"], value(old, "spec", "selector")) {
		errs = append(errs, immutable(at.Child("selector"), spec["selector"]))
	}
	return errs
}

// validateTemplateSelector checks the selector of a workload; the result is nil where it cannot be used.
func validateTemplateSelector(v any, at *field.Path) (labels.Selector, field.ErrorList) {
	obj := asFields(v)
	if obj == nil {
		return labels.Nothing(), field.ErrorList{field.Required(at, "")}
	}
	s, err := toLabelSelector(obj)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, obj, "invalid label selector")}
	}
	errs := metav1validation.ValidateLabelSelector(s, metav1validation.LabelSelectorValidationOptions{}, at)
	if len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		errs = append(errs, field.Invalid(at, s, "empty selector is invalid for deployment"))
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return nil, append(errs, field.Invalid(at, s, "invalid label selector"))
	}
	return selector, errs
}

// validateReplicatedTemplate checks the template of pods that are kept running.
func validateReplicatedTemplate(template map[string]any, selector labels.Selector, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	podLabels := fieldsOf(template, "metadata", "labels")
	if !selector.Empty() && !selector.Matches(labels.Set(stringMap(podLabels))) {
		errs = append(errs, field.Invalid(at.Child("metadata", "labels"), podLabels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, validatePodTemplate(template, at)...)
	spec, at := fieldsOf(template, "spec"), at.Child("spec")
	if policy := text(spec, "restartPolicy"); policy != "Always" {
		errs = append(errs, field.NotSupported(at.Child("restartPolicy"), policy, []string{"Always"}))
	}
	if spec["activeDeadlineSeconds"] != nil {
		errs = append(errs, field.Forbidden(at.Child("activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported"))
	}
	return errs
}

func validateStrategy(strategy map[string]any, at *field.Path) field.ErrorList {
	update := fieldsOf(strategy, "rollingUpdate")
	switch text(strategy, "type") {
	case "Recreate":
		if update != nil {
			return field.ErrorList{field.Forbidden(at.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")}
		}
	case "RollingUpdate":
		return validateRollingUpdate(update, at.Child("rollingUpdate"))
	}
	return nil
}

func validateRollingUpdate(update map[string]any, at *field.Path) field.ErrorList {
	unavailable, errs := intOrPercent(update["maxUnavailable"], at.Child("maxUnavailable"))
	surge, more := intOrPercent(update["maxSurge"], at.Child("maxSurge"))
	errs = append(errs, more...)
	if none(unavailable) && none(surge) {
		errs = append(errs, field.Invalid(at.Child("maxUnavailable"), &unavailable, "may not be 0 when `maxSurge` is 0"))
	}
	if n, ok := percentOf(unavailable); ok && n > 100 {
		errs = append(errs, field.Invalid(at.Child("maxUnavailable"), &unavailable, "must not be greater than 100%"))
	}
	return errs
}

func none(v intstr.IntOrString) bool {
	n, err := intstr.GetScaledValueFromIntOrPercent(&v, 100, true)
	return err == nil && n == 0
}

func percentOf(v intstr.IntOrString) (int, bool) {
	if v.Type != intstr.String {
		return 0, false
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(&v, 100, true)
	return n, err == nil
}
