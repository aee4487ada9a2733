package builtin

import (
	"context"
	"fmt"
	"math"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// The labels by which a Job's pods are found; the older ones have no prefix, and both are set.
const (
	jobUIDLabel     = batchv1.ControllerUidLabel
	jobNameLabel    = batchv1.JobNameLabel
	oldJobUIDLabel  = "controller-uid"
	oldJobNameLabel = "job-name"
)

func (k kinds) job() *resource.Definition {
	return &resource.Definition{
		Group:      "batch",
		Names:      resource.Names{Plural: "jobs", Singular: "job", Kind: "Job", ListKind: "JobList", Categories: []string{"all"}},
		Namespaced: true, Storage: "v1", Prefix: "/registry/jobs/",
		OrphanByDefault:  true, // since before there was a garbage collector
		SelectableFields: []resource.SelectableField{{Name: "status.successful", Path: []string{"status", "succeeded"}, Default: "0"}},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &batchv1.Job{},
			Schema:       k.compiler.Schema("io.k8s.api.batch.v1.Job", &batchv1.Job{}, nil),
			Columns:      jobColumns(),
			Reset:        statusOnly(),
			Subresources: map[string]*resource.Subresource{"status": status()},
		}},
		Hooks: resource.Hooks{
			PrepareCreate: func(_ context.Context, obj resource.Object) {
				obj["status"] = map[string]any{}
				generateJobSelector(obj)
			},
			Validate:    validateJob,
			Warnings:    jobWarnings,
			BeginDelete: warnOfOrphans,
			SpecChanged: func(obj, old resource.Object) bool { return !resource.Equal(obj["spec"], old["spec"]) },
		},
	}
}

func defaultJob(obj map[string]any) {
	spec := child(obj, "spec")
	if spec["completions"] == nil && spec["parallelism"] == nil {
		spec["completions"] = int64(1)
	}
	ifAbsent(spec, "parallelism", int64(1))
	limit := int64(6)
	if spec["backoffLimitPerIndex"] != nil {
		limit = math.MaxInt32
	}
	ifAbsent(spec, "backoffLimit", limit)
	if labels := fieldsOf(spec, "template", "metadata", "labels"); len(labels) > 0 && len(fieldsOf(obj, "metadata", "labels")) == 0 {
		child(obj, "metadata")["labels"] = resource.DeepCopy(labels)
	}
	ifAbsent(spec, "completionMode", string(batchv1.NonIndexedCompletion))
	ifAbsent(spec, "suspend", false)
	replace := batchv1.TerminatingOrFailed
	if spec["podFailurePolicy"] != nil {
		replace = batchv1.Failed
	}
	ifAbsent(spec, "podReplacementPolicy", string(replace))
	ifAbsent(spec, "manualSelector", false)
}

// generateJobSelector has the job select its pods by its uid, and its template carry that and its name, unless the author
// selects them. What the author has set of these stays, and is checked later.
func generateJobSelector(job resource.Object) {
	spec := child(job, "spec")
	if truth(spec, "manualSelector") {
		return
	}
	labels := child(child(child(spec, "template"), "metadata"), "labels")
	uid, name := text(job, "metadata", "uid"), text(job, "metadata", "name")
	for label, v := range map[string]string{oldJobNameLabel: name, jobNameLabel: name, oldJobUIDLabel: uid, jobUIDLabel: uid} {
		if _, found := labels[label]; !found {
			labels[label] = v
		}
	}
	match := child(child(spec, "selector"), "matchLabels")
	if _, found := match[jobUIDLabel]; !found {
		match[jobUIDLabel] = uid
	}
}

func jobWarnings(_ context.Context, obj, old resource.Object) []string {
	if old != nil {
		return nil
	}
	if wrong := utilvalidation.IsDNS1123Label(text(obj, "metadata", "name")); len(wrong) > 0 {
		return []string{fmt.Sprintf("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: %v", wrong)}
	}
	return nil
}

// warnOfOrphans tells whoever deletes a job what will not go with it.
func warnOfOrphans(ctx context.Context, _ resource.Object, o *metav1.DeleteOptions) (stays bool) {
	if o.PropagationPolicy == nil && o.OrphanDependents == nil { //nolint:staticcheck // deprecated, still served
		resource.AddWarning(ctx, "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning")
	}
	return false
}

func jobColumns() []resource.Column {
	return append([]resource.Column{
		column("Status", "string", "Status of the job.", jobStatusWord),
		column("Completions", "string", batchv1.JobStatus{}.SwaggerDoc()["succeeded"], jobCompletions),
		column("Duration", "string", "Time required to complete the job.", jobDuration),
		ageColumn(),
	}, templateColumns(batchv1.JobSpec{}.SwaggerDoc()["selector"])...)
}

func jobStatusWord(job resource.Object) any {
	for _, c := range []batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed} {
		if jobIs(job, c) {
			return string(c)
		}
	}
	if text(job, "metadata", "deletionTimestamp") != "" {
		return "Terminating"
	}
	for _, c := range []batchv1.JobConditionType{batchv1.JobSuspended, batchv1.JobFailureTarget, batchv1.JobSuccessCriteriaMet} {
		if jobIs(job, c) {
			return string(c)
		}
	}
	return "Running"
}

// jobIs says whether a condition of a job is true.
func jobIs(job resource.Object, kind batchv1.JobConditionType) bool {
	for _, c := range items(job, "status", "conditions") {
		if c := asFields(c); text(c, "type") == string(kind) && text(c, "status") == string(metav1.ConditionTrue) {
			return true
		}
	}
	return false
}

func jobCompletions(job resource.Object) any {
	succeeded := number(job, "status", "succeeded")
	if n, ok := value(job, "spec", "completions").(int64); ok {
		return ratio(succeeded, n)
	}
	if n := number(job, "spec", "parallelism"); n > 1 {
		return fmt.Sprintf("%d/1 of %d", succeeded, n)
	}
	return ratio(succeeded, 1)
}

func jobDuration(job resource.Object) any {
	started, err := time.Parse(time.RFC3339, text(job, "status", "startTime"))
	if err != nil {
		return ""
	}
	ended, err := time.Parse(time.RFC3339, text(job, "status", "completionTime"))
	if err != nil {
		ended = time.Now()
	}
	return duration.HumanDuration(ended.Sub(started))
}
