package main

import (
	"context"
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	v1 "github.com/keelson-project/keelson/samples/website/v1"
)

const (
	finalizer = "samples.keelson.dev/index"
	// indexName is the ConfigMap that lists the websites of a namespace; no website owns it, so that a website
	// has to take its entry out before it goes.
	indexName = "website-index"
)

// reconciler gives each Website a ConfigMap with its page, a Deployment that serves it, and an entry in the index.
type reconciler struct {
	client client.Client
	server client.Reader // not by way of a cache
}

func setup(mgr *runtime.Manager) error {
	return runtime.NewControllerManagedBy(mgr).
		For(&v1.Website{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&appsv1.Deployment{}).
		Complete(runtime.AsReconciler(mgr.Client(), &reconciler{mgr.Client(), mgr.Direct()}))
}

func (r *reconciler) Reconcile(ctx context.Context, site *v1.Website) (runtime.Result, error) {
	if err := r.index(ctx, site, site.Name+".html"); err != nil {
		return runtime.Result{}, err
	}
	if err := r.page(ctx, site); err != nil {
		return runtime.Result{}, err
	}
	deployment, err := r.deployment(ctx, site)
	if err != nil {
		return runtime.Result{}, err
	}
	return runtime.Result{}, r.status(ctx, site, deployment)
}

// Finalize takes the site out of the index, before it may go.
func (r *reconciler) Finalize(ctx context.Context, site *v1.Website) (runtime.Result, error) {
	return runtime.Result{}, r.index(ctx, site, "")
}

func (r *reconciler) FinalizerName() string { return finalizer }

// index sets the site's entry in the namespace's index; "" takes it out.
func (r *reconciler) index(ctx context.Context, site *v1.Website, entry string) error {
	index := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: site.Namespace, Name: indexName}}
	_, err := runtime.CreateOrUpdate(ctx, r.client, index, func() error {
		switch {
		case entry == "":
			delete(index.Data, site.Name)
			return nil
		case index.Data[site.Name] != entry:
			if err := r.there(ctx, site); err != nil {
				return err
			}
		}
		if index.Data == nil {
			index.Data = map[string]string{}
		}
		index.Data[site.Name] = entry
		return nil
	})
	return err
}

// there makes sure that the site is not on its way out, of which a cache that has just begun may not know: nobody would
// take its entry out again.
func (r *reconciler) there(ctx context.Context, site *v1.Website) error {
	var now v1.Website
	if err := r.server.Get(ctx, client.KeyOf(site), &now); err != nil {
		return err
	}
	if now.UID != site.UID || now.DeletionTimestamp != nil {
		return errors.New("the site goes: the cache is behind")
	}
	return nil
}

func (r *reconciler) page(ctx context.Context, site *v1.Website) error {
	page := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: site.Namespace, Name: site.Name}}
	_, err := runtime.CreateOrUpdate(ctx, r.client, page, func() error {
		page.Labels = labels(site)
		page.Data = map[string]string{"index.html": site.Spec.HTML}
		return runtime.SetControllerReference(site, page, r.client.Scheme())
	})
	return err
}

func (r *reconciler) deployment(ctx context.Context, site *v1.Website) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: site.Namespace, Name: site.Name}}
	_, err := runtime.CreateOrUpdate(ctx, r.client, d, func() error {
		d.Labels = labels(site)
		d.Spec.Replicas = site.Spec.Replicas
		d.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels(site)}
		d.Spec.Template.Labels = labels(site)
		pod := &d.Spec.Template.Spec
		if len(pod.Containers) == 0 { // what the server has defaulted in an existing one stays
			pod.Containers = []corev1.Container{{Name: "web"}}
			pod.Volumes = []corev1.Volume{{Name: "page"}}
		}
		pod.Containers[0].Image = site.Spec.Image
		pod.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "page", MountPath: "/usr/share/nginx/html"}}
		if pod.Volumes[0].ConfigMap == nil {
			pod.Volumes[0].ConfigMap = &corev1.ConfigMapVolumeSource{}
		}
		pod.Volumes[0].ConfigMap.Name = site.Name
		return runtime.SetControllerReference(site, d, r.client.Scheme())
	})
	return d, err
}

func (r *reconciler) status(ctx context.Context, site *v1.Website, d *appsv1.Deployment) error {
	before := site.DeepCopy()
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Waiting", Message: "Replicas are not ready yet."}
	if d.Status.ObservedGeneration == d.Generation && site.Spec.Replicas != nil && d.Status.ReadyReplicas >= *site.Spec.Replicas {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionTrue, "Serving", "All replicas are ready."
	}
	runtime.SetCondition(site, &site.Status.Conditions, ready)
	site.Status.ObservedGeneration = site.Generation
	site.Status.Replicas = new(d.Status.Replicas)
	site.Status.Selector = metav1.FormatLabelSelector(d.Spec.Selector)
	return runtime.UpdateStatus(ctx, r.client, before, site)
}

func labels(site *v1.Website) map[string]string {
	return map[string]string{"app.kubernetes.io/name": "website", "app.kubernetes.io/instance": site.Name}
}
