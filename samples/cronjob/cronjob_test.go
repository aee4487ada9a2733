package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/testr"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	v1 "github.com/keelson-project/keelson/samples/cronjob/v1"
)

// The tests run the operator and a server in virtual time, which begins at 2000-01-01T00:00:00Z: an hour takes no time.

// world is a server with the operator.
type world struct {
	t *testing.T
	client.Client
}

func inVirtualTime(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true}) // the operator installs its CRD
		cfg := client.Config{Host: "http://server", Transport: srv.Transport()}
		scheme, err := newScheme()
		ok(t, err)
		c, err := client.New(cfg, client.Options{Scheme: scheme, FieldOwner: "test"})
		ok(t, err)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, cfg, testr.New(t)) }()
		defer func() {
			stop()
			ok(t, <-done)
		}()
		time.Sleep(time.Second) // it is off the full minute
		test(t, &world{t, c})
	})
}

func (w *world) create(name string, spec v1.CronJobSpec) *v1.CronJob {
	w.t.Helper()
	spec.JobTemplate.Metadata = &v1.CronJobSpecJobTemplateMetadata{Labels: map[string]string{"app": name}}
	spec.JobTemplate.Spec = kruntime.RawExtension{Raw: []byte(
		`{"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "hello", "image": "busybox"}]}}}`)}
	c := &v1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: spec}
	ok(w.t, w.Create(w.t.Context(), c))
	return c
}

// jobs are those of a CronJob, as MINUTE and how they ended, in order.
func (w *world) jobs(of *v1.CronJob) string {
	w.t.Helper()
	var list batchv1.JobList
	ok(w.t, w.List(w.t.Context(), &list, client.MatchingLabels{"app": of.Name}))
	var out []string
	for i := range list.Items {
		job := &list.Items[i]
		if !metav1.IsControlledBy(job, of) || job.Name != fmt.Sprintf("%s-%d", of.Name, scheduled(job).Unix()) {
			w.t.Errorf("job: %+v", job.ObjectMeta)
		}
		out = append(out, strings.TrimSpace(scheduled(job).Format("15:04 ")+string(ended(job))))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (w *world) want(of *v1.CronJob, jobs string) {
	w.t.Helper()
	synctest.Wait()
	if got := w.jobs(of); got != jobs {
		w.t.Errorf("%s of %s: jobs %q, want %q", time.Now().UTC().Format(time.TimeOnly), of.Name, got, jobs)
	}
}

// end ends the active jobs, as the Job controller does.
func (w *world) end(of *v1.CronJob, as batchv1.JobConditionType) {
	w.t.Helper()
	first := batchv1.JobSuccessCriteriaMet
	if as == batchv1.JobFailed {
		first = batchv1.JobFailureTarget
	}
	var list batchv1.JobList
	ok(w.t, w.List(w.t.Context(), &list, client.MatchingLabels{"app": of.Name}))
	for i := range list.Items {
		job := &list.Items[i]
		if ended(job) != "" {
			continue
		}
		now := metav1.Now()
		job.Status.StartTime = &now
		if as == batchv1.JobComplete {
			job.Status.CompletionTime = &now
		}
		for _, c := range []batchv1.JobConditionType{first, as} {
			job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: c, Status: corev1.ConditionTrue})
		}
		ok(w.t, w.Status().Update(w.t.Context(), job))
	}
}

func TestScheduleAndHistory(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w *world) {
		c := w.create("often", v1.CronJobSpec{Schedule: "*/10 * * * *", SuccessfulJobsHistoryLimit: new(int32(1)), FailedJobsHistoryLimit: new(int32(0))})
		w.want(c, "")
		time.Sleep(10 * time.Minute)
		w.want(c, "00:10")
		ok(t, w.Get(t.Context(), client.KeyOf(c), c))
		if len(c.Status.Active) != 1 || !c.Status.LastScheduleTime.Equal(new(metav1.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC))) {
			t.Errorf("status: %+v", c.Status)
		}
		w.end(c, batchv1.JobComplete)
		w.want(c, "00:10 Complete")
		time.Sleep(10 * time.Minute)
		w.end(c, batchv1.JobComplete)
		w.want(c, "00:20 Complete")
		time.Sleep(10 * time.Minute)
		w.end(c, batchv1.JobFailed)
		w.want(c, "00:20 Complete")
		ok(t, w.Get(t.Context(), client.KeyOf(c), c))
		if len(c.Status.Active) != 0 {
			t.Errorf("active: %v", c.Status.Active)
		}
	})
}

func TestConcurrency(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w *world) {
		made := map[v1.CronJobSpecConcurrencyPolicy]*v1.CronJob{}
		for name, p := range map[string]v1.CronJobSpecConcurrencyPolicy{"default": "", "forbid": v1.CronJobSpecConcurrencyPolicyForbid, "replace": v1.CronJobSpecConcurrencyPolicyReplace} {
			made[p] = w.create(name, v1.CronJobSpec{Schedule: "0 * * * *", ConcurrencyPolicy: p})
		}
		time.Sleep(2 * time.Hour)
		w.want(made[""], "01:00, 02:00")
		w.want(made[v1.CronJobSpecConcurrencyPolicyForbid], "01:00")
		w.want(made[v1.CronJobSpecConcurrencyPolicyReplace], "02:00")
		w.end(made[v1.CronJobSpecConcurrencyPolicyForbid], batchv1.JobComplete)
		w.want(made[v1.CronJobSpecConcurrencyPolicyForbid], "01:00 Complete, 02:00") // late, and no deadline forbids it
	})
}

func TestSuspendAndDeadline(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w *world) {
		late := w.create("late", v1.CronJobSpec{Schedule: "0 * * * *", Suspend: new(true)})
		punctual := w.create("punctual", v1.CronJobSpec{Schedule: "0 * * * *", Suspend: new(true), StartingDeadlineSeconds: new(int64(60))})
		time.Sleep(150 * time.Minute)
		w.want(late, "")
		for _, c := range []*v1.CronJob{late, punctual} {
			ok(t, w.Patch(t.Context(), c, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"suspend": false}}`))))
		}
		w.want(late, "02:00") // the latest of those that were missed
		w.want(punctual, "")
		time.Sleep(time.Hour)
		w.want(late, "02:00, 03:00")
		w.want(punctual, "03:00")
	})
}

func TestMistakes(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w *world) {
		c := w.create("wrong", v1.CronJobSpec{Schedule: "every minute"})
		time.Sleep(2 * time.Minute)
		w.want(c, "")
		ok(t, w.Patch(t.Context(), c, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"schedule": "* * * * *"}}`))))
		time.Sleep(time.Minute)
		w.want(c, "00:02, 00:03")
	})
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
