package builtin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func aJob(name, spec, labels, restart string) string {
	return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s}, spec: {%s template: {metadata: {labels: {%s}}, spec: {restartPolicy: %s, containers: [{name: a, image: b}]}}}}`,
		name, spec, labels, restart)
}

func TestJobSelectsItsPods(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	job := w.mustCreate(aJob("one", "", "x: z", "Never"))
	uid := at(job, "metadata", "uid")
	labels := at(job, "spec", "template", "metadata", "labels")
	for name, want := range map[string]any{
		"x": "z", "job-name": "one", "batch.kubernetes.io/job-name": "one", "controller-uid": uid, "batch.kubernetes.io/controller-uid": uid,
	} {
		if at(labels, name) != want {
			t.Errorf("label %s of the template: %v", name, labels)
		}
	}
	if at(job, "spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid") != uid || at(job, "metadata", "labels", "x") != "z" {
		t.Errorf("selector %v, labels %v", at(job, "spec", "selector"), at(job, "metadata", "labels"))
	}
	for name, want := range map[string]any{"completions": int64(1), "parallelism": int64(1), "backoffLimit": int64(6), "suspend": false} {
		if got := at(job, "spec", name); got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	if _, err := w.delete(job); err != nil {
		t.Fatal(err)
	}
	if _, err := w.create(aJob("one", "", "", "Never")); !apierrors.IsAlreadyExists(err) {
		t.Errorf("a deletion that says nothing of dependents waits for the collector to orphan them: %v", err)
	}
}

// The expectations are what kube-apiserver 1.37.2 answered to the same requests.
func TestJobIsChecked(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	refused := func(what string, err error, want ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: was accepted", what)
			return
		}
		slices.Sort(want)
		if got := causes(err); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for _, c := range []struct {
		spec, labels, restart string
		want                  []string
	}{
		{"", "", "Always", []string{`spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`}},
		{"completionMode: Indexed, parallelism: 1,", "", "Never", []string{"spec.completions: Required value: when completion mode is Indexed"}},
		{"completions: -1,", "", "Never", []string{"spec.completions: Invalid value: -1: must be greater than or equal to 0"}},
		{"manualSelector: true,", "", "Never", []string{"spec.selector: Required value", "spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`"}},
		{"maxFailedIndexes: 3,", "", "Never", []string{
			"spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified", "spec.maxFailedIndexes: Invalid value: 3: requires indexed completion mode"}},
	} {
		_, err := w.create(aJob("bad", c.spec, c.labels, c.restart))
		refused(c.spec+c.restart, err, c.want...)
	}

	job := w.mustCreate(aJob("one", "", "", "Never"))
	changed := resource.DeepCopy(job)
	changed["spec"].(map[string]any)["completions"] = int64(3)
	_, err := w.update(changed, "")
	refused("completions", err, "spec.completions: Invalid value: 3: field is immutable")

	status := func(text string) (resource.Object, error) {
		obj := resource.DeepCopy(job)
		obj["status"] = parse(t, text)
		return w.update(obj, "status")
	}
	_, err = status("{active: 1, ready: 2}")
	refused("ready", err, "status.ready: Invalid value: 2: cannot set more ready pods than active")
	_, err = status("{conditions: [{type: Complete, status: 'True'}]}")
	refused("complete", err, "status.completionTime: Required value: completionTime is required for Complete jobs",
		"status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
		"status.startTime: Required value: startTime is required for finished job")
	ended := "startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:01:00Z', succeeded: 1, "
	if job, err = status("{" + ended + "conditions: [{type: SuccessCriteriaMet, status: 'True'}, {type: Complete, status: 'True'}]}"); err != nil {
		t.Fatal(err)
	}
	_, err = status("{" + ended + "conditions: [{type: SuccessCriteriaMet, status: 'True'}]}")
	refused("no longer complete", err, "status.completionTime: Invalid value: \"2026-01-01T00:01:00Z\": cannot set completionTime when there is no Complete=True condition",
		"status.conditions: Invalid value: cannot disable the terminal Complete=True condition")
}
