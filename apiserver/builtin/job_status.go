package builtin

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// validateJobStatus checks a status that is written: Kubernetes has jobs end in one way only, since others than its own
// controller may run them (spec.managedBy). What did not change is not held against the writer.
func validateJobStatus(obj, old resource.Object) field.ErrorList {
	if same(obj["status"], old["status"]) {
		return nil
	}
	status, at := fieldsOf(obj, "status"), field.NewPath("status")
	var errs field.ErrorList
	for _, name := range []string{"active", "succeeded", "failed", "ready", "terminating"} {
		errs = append(errs, notNegative(status, name, at)...)
	}
	errs = append(errs, validateJobEnd(obj, old, at)...)
	errs = append(errs, validateJobProgress(obj, old, at)...)
	return errs
}

// jobConditions is an error about the conditions as a whole.
func jobConditions(at *field.Path, format string, args ...any) *field.Error {
	return field.Invalid(at.Child("conditions"), field.OmitValueType{}, fmt.Sprintf(format, args...))
}

// validateJobEnd checks what must be together in a job that has ended.
func validateJobEnd(obj, old resource.Object, at *field.Path) field.ErrorList {
	status := fieldsOf(obj, "status")
	complete, failed := jobIs(obj, batchv1.JobComplete), jobIs(obj, batchv1.JobFailed)
	failing, succeeding := jobIs(obj, batchv1.JobFailureTarget), jobIs(obj, batchv1.JobSuccessCriteriaMet)
	changed := func(c batchv1.JobConditionType) bool { return jobIs(obj, c) != jobIs(old, c) }
	wrote := func(name string) bool { return !same(status[name], value(old, "status", name)) }
	completeChanged, failedChanged := changed(batchv1.JobComplete), changed(batchv1.JobFailed)
	ended := complete || failed
	endChanged := ended != (jobIs(old, batchv1.JobComplete) || jobIs(old, batchv1.JobFailed))
	completion, hasCompletion := status["completionTime"]
	started, hasStarted := status["startTime"]
	var errs field.ErrorList
	wrong := func(is bool, err *field.Error) {
		if is {
			errs = append(errs, err)
		}
	}
	wrong((completeChanged || failedChanged) && complete && failed, jobConditions(at, "cannot set Complete=True and Failed=true conditions"))
	wrong((completeChanged || changed(batchv1.JobFailureTarget)) && complete && failing, jobConditions(at, "cannot set Complete=True and FailureTarget=true conditions"))
	wrong((completeChanged || wrote("completionTime")) && hasCompletion && !complete,
		field.Invalid(at.Child("completionTime"), completion, "cannot set completionTime when there is no Complete=True condition"))
	wrong((completeChanged || wrote("completionTime")) && !hasCompletion && complete, field.Required(at.Child("completionTime"), "completionTime is required for Complete jobs"))
	wrong((wrote("startTime") || wrote("completionTime")) && before(completion, started), field.Invalid(at.Child("completionTime"), completion, "must be equal to or after `startTime`"))
	wrong((failedChanged || wrote("failedIndexes")) && failed && !failing, jobConditions(at, "cannot set Failed=True condition without the FailureTarget=true condition"))
	wrong((completeChanged || changed(batchv1.JobSuccessCriteriaMet)) && complete && !succeeding,
		jobConditions(at, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"))
	active := number(status, "active")
	wrong((endChanged || wrote("active")) && ended && active > 0, field.Invalid(at.Child("active"), active, "active>0 is invalid for finished job"))
	suspended := truth(obj, "spec", "suspend") && value(obj, "spec", "completions") == int64(0)
	wrong((endChanged || wrote("startTime")) && !suspended && ended && !hasStarted, field.Required(at.Child("startTime"), "startTime is required for finished job"))
	terminating := number(status, "terminating")
	wrong((endChanged || wrote("terminating")) && ended && terminating > 0, field.Invalid(at.Child("terminating"), terminating, "terminating>0 is invalid for finished job"))
	ready, says := status["ready"].(int64)
	wrong((wrote("ready") || wrote("active")) && says && ready > active, field.Invalid(at.Child("ready"), ready, "cannot set more ready pods than active"))
	wrong(succeeding && failed, jobConditions(at, "cannot set SuccessCriteriaMet=True and Failed=true conditions"))
	wrong(succeeding && failing, jobConditions(at, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"))
	return errs
}

// before compares two timestamps, of which either may be absent.
func before(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	first, err := time.Parse(time.RFC3339, x)
	if err != nil {
		return false
	}
	second, err := time.Parse(time.RFC3339, y)
	return err == nil && first.Before(second)
}

// validateJobProgress checks what may not go back.
func validateJobProgress(obj, old resource.Object, at *field.Path) field.ErrorList {
	status, was := fieldsOf(obj, "status"), fieldsOf(old, "status")
	var errs field.ErrorList
	for _, c := range []batchv1.JobConditionType{batchv1.JobFailed, batchv1.JobComplete, batchv1.JobFailureTarget} {
		if jobIs(old, c) && !jobIs(obj, c) {
			errs = append(errs, jobConditions(at, "cannot disable the terminal %s=True condition", c))
		}
	}
	indexed := text(obj, "spec", "completionMode") == string(batchv1.IndexedCompletion)
	scales := indexed && value(obj, "spec", "completions") == value(obj, "spec", "parallelism")
	for _, name := range []string{"failed", "succeeded"} {
		if n := number(status, name); n < number(was, name) && (name == "failed" || !scales) {
			errs = append(errs, field.Invalid(at.Child(name), n, fmt.Sprintf("cannot decrease the %s counter", name)))
		}
	}
	if status["completionTime"] != nil && was["completionTime"] != nil && status["completionTime"] != was["completionTime"] {
		errs = append(errs, immutable(at.Child("completionTime"), status["completionTime"]))
	}
	resumes := jobIs(old, batchv1.JobSuspended) && !jobIs(obj, batchv1.JobSuspended)
	if was["startTime"] != nil && status["startTime"] != was["startTime"] && !truth(obj, "spec", "suspend") && !resumes {
		errs = append(errs, field.Invalid(at.Child("startTime"), status["startTime"], "field is immutable for unsuspended job once set"))
	}
	if jobIs(old, batchv1.JobSuccessCriteriaMet) && !jobIs(obj, batchv1.JobSuccessCriteriaMet) {
		errs = append(errs, jobConditions(at, "cannot disable the SuccessCriteriaMet=True condition"))
	}
	return errs
}
