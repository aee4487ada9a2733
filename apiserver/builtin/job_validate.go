package builtin

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// validateJob checks a Job as kube-apiserver does, but for the rules inside podFailurePolicy and successPolicy, for
// scheduling, and for the forms of completedIndexes and failedIndexes, which nothing here reads.
func validateJob(_ context.Context, obj, old resource.Object) field.ErrorList {
	spec, at := fieldsOf(obj, "spec"), field.NewPath("spec")
	if old != nil && resource.Equal(spec, fieldsOf(old, "spec")) {
		return validateJobStatus(obj, old)
	}
	var errs field.ErrorList
	if old == nil && !truth(spec, "manualSelector") {
		errs = validateJobLabels(obj)
	}
	errs = append(errs, validateJobNumbers(spec, at)...)
	errs = append(errs, validateJobPolicies(spec, at)...)
	template := fieldsOf(spec, "template")
	errs = append(errs, validatePodTemplate(template, at.Child("template"))...)
	errs = append(errs, validateJobRestartPolicy(spec, at.Child("template", "spec", "restartPolicy"))...)
	errs = append(errs, validateJobSelector(spec, at)...)
	if old != nil {
		errs = append(errs, validateJobChanges(spec, fieldsOf(old, "spec"), at)...)
		errs = append(errs, validateJobStatus(obj, old)...)
	}
	return errs
}

// validateJobLabels checks that a template has the labels which were generated for it.
func validateJobLabels(job resource.Object) field.ErrorList {
	uid, name := text(job, "metadata", "uid"), text(job, "metadata", "name")
	at := field.NewPath("spec", "template", "metadata", "labels")
	have := fieldsOf(job, "spec", "template", "metadata", "labels")
	want := labels.Set{}
	var errs field.ErrorList
	for _, l := range []struct{ key, value string }{{oldJobUIDLabel, uid}, {oldJobNameLabel, name}, {jobUIDLabel, uid}, {jobNameLabel, name}} {
		want[l.key] = l.value
		if v, found := have[l.key]; !found {
			errs = append(errs, field.Required(at.Key(l.key), fmt.Sprintf("must be '%s'", l.value)))
		} else if v != l.value {
			errs = append(errs, field.Invalid(at.Key(l.key), have, fmt.Sprintf("must be '%s'", l.value)))
		}
	}
	selector := fieldsOf(job, "spec", "selector")
	if s, err := labelSelector(selector); err == nil && !s.Matches(want) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "selector"), selector, "`selector` not auto-generated"))
	}
	return errs
}

func validateJobNumbers(spec map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range []string{
		"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes",
	} {
		errs = append(errs, notNegative(spec, name, at)...)
	}
	if spec["maxFailedIndexes"] != nil && spec["backoffLimitPerIndex"] == nil {
		errs = append(errs, field.Required(at.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
	}
	if by, ok := spec["managedBy"].(string); ok {
		errs = append(errs, utilvalidation.IsDomainPrefixedPath(at.Child("managedBy"), by)...)
		if len(by) > 63 {
			errs = append(errs, field.TooLong(at.Child("managedBy"), "", 63))
		}
	}
	return append(errs, validateJobIndexes(spec, at)...)
}

// validateJobIndexes checks what depends on whether the pods are numbered.
func validateJobIndexes(spec map[string]any, at *field.Path) field.ErrorList {
	const most, many, fewer = 100_000, 100_000, 10_000
	var errs field.ErrorList
	failed, limitsFailed := spec["maxFailedIndexes"].(int64)
	switch batchv1.CompletionMode(text(spec, "completionMode")) {
	case batchv1.NonIndexedCompletion:
		for _, name := range []string{"backoffLimitPerIndex", "maxFailedIndexes"} {
			if v := spec[name]; v != nil {
				errs = append(errs, field.Invalid(at.Child(name), v, "requires indexed completion mode"))
			}
		}
		return errs
	case batchv1.IndexedCompletion:
	default: // the schema refuses it
		return nil
	}
	completions, ok := spec["completions"].(int64)
	if !ok {
		errs = append(errs, field.Required(at.Child("completions"), "when completion mode is Indexed"))
	}
	parallel := number(spec, "parallelism")
	atMost := func(name string, v, limit int64, when string) {
		if v > limit {
			errs = append(errs, field.Invalid(at.Child(name), v, fmt.Sprintf("must be less than or equal to %d%s", limit, when)))
		}
	}
	atMost("parallelism", parallel, most, " when completion mode is Indexed")
	if ok && limitsFailed && failed > completions {
		errs = append(errs, field.Invalid(at.Child("maxFailedIndexes"), failed, "must be less than or equal to completions"))
	}
	atMost("maxFailedIndexes", failed, most, "")
	if completions > many && spec["backoffLimitPerIndex"] != nil {
		if !limitsFailed {
			errs = append(errs, field.Required(at.Child("maxFailedIndexes"), fmt.Sprintf("must be specified when completions is above %d", many)))
		}
		when := fmt.Sprintf(" when completions are above %d and used with backoff limit per index", many)
		atMost("parallelism", parallel, fewer, when)
		atMost("maxFailedIndexes", failed, fewer, when)
	}
	return errs
}

func validateJobPolicies(spec map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec["successPolicy"] != nil && text(spec, "completionMode") != string(batchv1.IndexedCompletion) {
		errs = append(errs, field.Invalid(at.Child("successPolicy"), spec["successPolicy"], "requires indexed completion mode"))
	}
	supported := []batchv1.PodReplacementPolicy{batchv1.Failed, batchv1.TerminatingOrFailed}
	if spec["podFailurePolicy"] != nil {
		supported = supported[:1]
	}
	for _, p := range supported {
		if text(spec, "podReplacementPolicy") == string(p) {
			return errs
		}
	}
	return append(errs, field.NotSupported(at.Child("podReplacementPolicy"), text(spec, "podReplacementPolicy"), supported))
}

func validateJobRestartPolicy(spec map[string]any, at *field.Path) field.ErrorList {
	onFailure, never := corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever
	switch policy := corev1.RestartPolicy(text(spec, "template", "spec", "restartPolicy")); {
	case policy == corev1.RestartPolicyAlways || policy == "":
		return field.ErrorList{field.Required(at, fmt.Sprintf("valid values: %q, %q", onFailure, never))}
	case policy != onFailure && policy != never:
		return field.ErrorList{field.NotSupported(at, policy, []corev1.RestartPolicy{onFailure, never})}
	case spec["podFailurePolicy"] != nil && policy != never:
		return field.ErrorList{field.Invalid(at, policy, fmt.Sprintf("only %q is supported when podFailurePolicy is specified", never))}
	}
	return nil
}

func validateJobSelector(spec map[string]any, at *field.Path) field.ErrorList {
	obj, have := fieldsOf(spec, "selector"), fieldsOf(spec, "template", "metadata", "labels")
	mismatch := func() *field.Error {
		return field.Invalid(at.Child("template", "metadata", "labels"), have, "`selector` does not match template `labels`")
	}
	if obj == nil {
		if have == nil {
			have = map[string]any{}
		}
		return field.ErrorList{field.Required(at.Child("selector"), ""), mismatch()}
	}
	s, err := toLabelSelector(obj)
	if err != nil {
		return field.ErrorList{field.Invalid(at.Child("selector"), obj, "invalid label selector")}
	}
	errs := metav1validation.ValidateLabelSelector(s, metav1validation.LabelSelectorValidationOptions{}, at.Child("selector"))
	if selector, err := metav1.LabelSelectorAsSelector(s); err == nil && !selector.Matches(labels.Set(stringMap(have))) {
		errs = append(errs, mismatch())
	}
	return errs
}

// validateJobChanges checks what may not change. (Kubernetes lets some of a suspended job's template change, and the
// completions of an indexed one that changes its parallelism alike.)
func validateJobChanges(spec, old map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	scales := text(spec, "completionMode") == string(batchv1.IndexedCompletion) && spec["completions"] != nil && spec["completions"] == spec["parallelism"]
	names := []string{"selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"}
	if !scales {
		names = append([]string{"completions"}, names...)
	}
	was := old
	if template := fieldsOf(old, "template"); truth(old, "suspend") && template != nil {
		was = resource.DeepCopy(old)
		template = fieldsOf(was, "template")
		now := fieldsOf(spec, "template")
		for _, name := range []string{"labels", "annotations"} {
			keep(child(template, "metadata"), fieldsOf(now, "metadata"), name)
		}
		for _, name := range []string{"nodeSelector", "tolerations", "schedulingGates"} {
			keep(child(template, "spec"), fieldsOf(now, "spec"), name)
		}
	}
	for _, name := range names {
		if !same(spec[name], was[name]) {
			errs = append(errs, immutable(at.Child(name), spec[name]))
		}
	}
	return errs
}
