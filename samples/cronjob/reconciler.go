package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	v1 "github.com/keelson-project/keelson/samples/cronjob/v1"
)

// scheduledAt is the annotation of a job with the time that it was started for.
const scheduledAt = "samples.keelson.dev/scheduled-at"

// mostMissed is how many missed times are looked at; more of them mean that the clock or the schedule is wrong.
const mostMissed = 100

// reconciler starts a Job for each time that a CronJob's schedule names, and deletes those that have ended long ago.
type reconciler struct {
	client.Client
	now func() time.Time
}

// byController is the index of jobs by the UID of their controller.
const byController = "metadata.controller"

func setup(mgr *runtime.Manager, now func() time.Time) error {
	err := runtime.IndexField(mgr, byController, func(job *batchv1.Job) []string {
		if owner := metav1.GetControllerOf(job); owner != nil {
			return []string{string(owner.UID)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return runtime.NewControllerManagedBy(mgr).
		For(&v1.CronJob{}).
		Owns(&batchv1.Job{}).
		Complete(&reconciler{mgr.Client(), now})
}

// Reconcile tells what there is, cleans up, and starts the job that is due. It comes back when the next one is.
func (r *reconciler) Reconcile(ctx context.Context, req runtime.Request) (runtime.Result, error) {
	var cronJob v1.CronJob
	if err := r.Get(ctx, req.NamespacedName, &cronJob); err != nil {
		return runtime.Result{}, client.IgnoreNotFound(err)
	}
	jobs, err := r.jobsOf(ctx, &cronJob)
	if err != nil {
		return runtime.Result{}, err
	}
	if err := r.status(ctx, &cronJob, jobs); err != nil {
		return runtime.Result{}, err
	}
	if err := r.cleanUp(ctx, &cronJob, jobs); err != nil {
		return runtime.Result{}, err
	}
	if cronJob.Spec.Suspend != nil && *cronJob.Spec.Suspend {
		return runtime.Result{}, nil
	}
	return r.start(ctx, &cronJob, jobs)
}

// owned are the jobs of a CronJob by what became of them, oldest first.
type owned struct{ active, successful, failed []*batchv1.Job }

func (r *reconciler) jobsOf(ctx context.Context, cronJob *v1.CronJob) (owned, error) {
	var all batchv1.JobList
	if err := r.List(ctx, &all, client.InNamespace(cronJob.Namespace), client.MatchingFields{byController: string(cronJob.UID)}); err != nil {
		return owned{}, err
	}
	var jobs owned
	for i := range all.Items {
		job := &all.Items[i]
		switch ended(job) {
		case batchv1.JobComplete:
			jobs.successful = append(jobs.successful, job)
		case batchv1.JobFailed:
			jobs.failed = append(jobs.failed, job)
		default:
			jobs.active = append(jobs.active, job)
		}
	}
	for _, list := range [][]*batchv1.Job{jobs.active, jobs.successful, jobs.failed} {
		slices.SortFunc(list, func(a, b *batchv1.Job) int { return scheduled(a).Compare(scheduled(b)) })
	}
	return jobs, nil
}

// ended is how a job ended, "" where it has not.
func ended(job *batchv1.Job) batchv1.JobConditionType {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

// scheduled is the time that a job was started for; zero where nobody has written it.
func scheduled(job *batchv1.Job) time.Time {
	t, err := time.Parse(time.RFC3339, job.Annotations[scheduledAt])
	if err != nil {
		return time.Time{}
	}
	return t
}

func (r *reconciler) status(ctx context.Context, cronJob *v1.CronJob, jobs owned) error {
	before := cronJob.DeepCopy()
	cronJob.Status = v1.CronJobStatus{LastScheduleTime: before.Status.LastScheduleTime}
	for _, list := range [][]*batchv1.Job{jobs.active, jobs.successful, jobs.failed} {
		if len(list) == 0 {
			continue
		}
		last := scheduled(list[len(list)-1])
		if was := cronJob.Status.LastScheduleTime; !last.IsZero() && (was == nil || was.Time.Before(last)) {
			cronJob.Status.LastScheduleTime = &metav1.Time{Time: last}
		}
	}
	for _, job := range jobs.active {
		cronJob.Status.Active = append(cronJob.Status.Active, v1.CronJobStatusActiveItem{Name: job.Name, UID: string(job.UID)})
	}
	return runtime.UpdateStatus(ctx, r, before, cronJob)
}

// cleanUp deletes the oldest jobs that have ended, but for as many as the limits say.
func (r *reconciler) cleanUp(ctx context.Context, cronJob *v1.CronJob, jobs owned) error {
	for _, of := range []struct {
		jobs  []*batchv1.Job
		limit *int32
	}{{jobs.successful, cronJob.Spec.SuccessfulJobsHistoryLimit}, {jobs.failed, cronJob.Spec.FailedJobsHistoryLimit}} {
		if of.limit == nil || len(of.jobs) <= int(*of.limit) {
			continue
		}
		for _, job := range of.jobs[:len(of.jobs)-int(*of.limit)] {
			if err := r.delete(ctx, job); err != nil {
				return err
			}
		}
	}
	return nil
}

// delete takes the pods along; the server's default for jobs is to leave them.
func (r *reconciler) delete(ctx context.Context, job *batchv1.Job) error {
	return client.IgnoreNotFound(r.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground)))
}

// start starts the job that is due, unless it is too late for it or another one is in its way.
func (r *reconciler) start(ctx context.Context, cronJob *v1.CronJob, jobs owned) (runtime.Result, error) {
	now := r.now()
	missed, next, err := due(cronJob, now)
	if err != nil {
		// Only a change to the schedule mends that, and causes a request of its own.
		return runtime.Result{}, runtime.TerminalError(err)
	}
	later := runtime.Result{RequeueAfter: next.Sub(now)}
	log := logr.FromContextOrDiscard(ctx).WithValues("missed", missed, "next", next)
	if missed.IsZero() {
		return later, nil
	}
	if d := cronJob.Spec.StartingDeadlineSeconds; d != nil && missed.Add(time.Duration(*d)*time.Second).Before(now) {
		log.Info("it is too late to start a job")
		return later, nil
	}
	switch cronJob.Spec.ConcurrencyPolicy {
	case v1.CronJobSpecConcurrencyPolicyForbid:
		if len(jobs.active) > 0 {
			log.V(1).Info("a job still runs")
			return later, nil
		}
	case v1.CronJobSpecConcurrencyPolicyReplace:
		for _, job := range jobs.active {
			if err := r.delete(ctx, job); err != nil {
				return runtime.Result{}, err
			}
		}
	}
	job, err := r.jobFor(cronJob, missed)
	if err != nil {
		return runtime.Result{}, runtime.TerminalError(err)
	}
	// The name is made of the time: to start a job twice is refused.
	return later, client.IgnoreAlreadyExists(r.Create(ctx, job))
}

// due is the latest time by now for which no job was started, zero where there is none, and the next one.
func due(cronJob *v1.CronJob, now time.Time) (missed, next time.Time, err error) {
	schedule, err := cron.ParseStandard(cronJob.Spec.Schedule)
	if err != nil {
		return missed, next, fmt.Errorf("schedule %q: %w", cronJob.Spec.Schedule, err)
	}
	from := cronJob.CreationTimestamp.Time
	if last := cronJob.Status.LastScheduleTime; last != nil {
		from = last.Time
	}
	if d := cronJob.Spec.StartingDeadlineSeconds; d != nil { // what is too late to start need not be looked at
		if earliest := now.Add(-time.Duration(*d) * time.Second); earliest.After(from) {
			from = earliest
		}
	}
	missed, n := time.Time{}, 0
	for t := schedule.Next(from); !t.IsZero() && !t.After(now); t = schedule.Next(t) {
		if missed = t; n == mostMissed {
			return time.Time{}, time.Time{}, fmt.Errorf("more than %d times were missed: set or shorten startingDeadlineSeconds, or look at the clock", mostMissed)
		}
		n++
	}
	return missed, schedule.Next(now), nil
}

func (r *reconciler) jobFor(cronJob *v1.CronJob, at time.Time) (*batchv1.Job, error) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: cronJob.Namespace, Name: fmt.Sprintf("%s-%d", cronJob.Name, at.Unix()),
		Annotations: map[string]string{scheduledAt: at.Format(time.RFC3339)},
	}}
	template := &cronJob.Spec.JobTemplate
	if m := template.Metadata; m != nil {
		job.Labels = maps.Clone(m.Labels)
		maps.Copy(job.Annotations, m.Annotations)
		job.Annotations[scheduledAt] = at.Format(time.RFC3339)
	}
	if err := json.Unmarshal(template.Spec.Raw, &job.Spec); err != nil {
		return nil, fmt.Errorf("jobTemplate: %w", err)
	}
	return job, runtime.SetControllerReference(cronJob, job, r.Scheme())
}
