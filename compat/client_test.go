package compat

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/keelson-project/keelson/runtime/client"
)

// wire notes how requests and answers are encoded.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	notes []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notes = append(w.notes, fmt.Sprintf("%s %s %d %s", r.Method, r.Header.Get("Content-Type"), resp.StatusCode, resp.Header.Get("Content-Type")))
	}
	return resp, err
}

// last forgets what was noted, and returns it.
func (w *wire) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.notes = nil }()
	return strings.Join(w.notes, "; ")
}

// TestClient has runtime/client work on the suite's server, which may be a kube-apiserver: that one speaks protobuf, ours
// answers the same requests with JSON, and neither is asked twice.
func TestClient(t *testing.T) {
	cfg, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	check(t, err)
	transport, err := rest.TransportFor(cfg)
	check(t, err)
	w, scheme := &wire{next: transport}, kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, autoscalingv1.AddToScheme} {
		check(t, add(scheme))
	}
	c, err := client.New(client.Config{Host: cfg.Host, Transport: w}, client.Options{Scheme: scheme, FieldOwner: "compat"})
	check(t, err)
	ctx := t.Context()
	check(t, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "client"}}))
	here := client.Namespaced(c, "client")

	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	d.Spec.Template.Labels = d.Spec.Selector.MatchLabels
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}}
	check(t, here.Create(ctx, d))
	w.last()
	check(t, here.Get(ctx, client.ObjectKey{Name: "web"}, d))
	protobuf := strings.Contains(w.last(), "vnd.kubernetes.protobuf")
	t.Logf("the server speaks protobuf: %t", protobuf)
	if d.Kind != "Deployment" || *d.Spec.Replicas != 1 || d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		t.Errorf("got %+v", d)
	}
	d.Labels = map[string]string{"tier": "front"}
	check(t, here.Update(ctx, d))
	if got, want := w.last(), map[bool]string{true: "PUT application/vnd.kubernetes.protobuf 200 application/vnd.kubernetes.protobuf", false: "PUT application/json 200 application/json"}[protobuf]; got != want {
		t.Errorf("an update: %s, want %s", got, want)
	}
	d.Status.ObservedGeneration = 1
	check(t, here.Status().Update(ctx, d))
	scale := &autoscalingv1.Scale{}
	check(t, here.SubResource("scale").Get(ctx, d, scale))
	scale.Spec.Replicas = 3
	if scale.Kind != "Scale" || scale.Status.Selector != "app=web" {
		t.Errorf("scale %+v", scale)
	}
	before := d.DeepCopy()
	d.Labels["tier"] = "back"
	check(t, here.Patch(ctx, d, client.MergeFrom(before)))
	var all appsv1.DeploymentList
	check(t, here.List(ctx, &all, client.MatchingLabels{"tier": "back"}))
	if len(all.Items) != 1 || all.Items[0].Kind != "Deployment" {
		t.Errorf("list %+v", all)
	}
	err = here.Get(ctx, client.ObjectKey{Name: "none"}, d.DeepCopy())
	if !apierrors.IsNotFound(err) || err.Error() != `GET /apis/apps/v1/namespaces/client/deployments/none: deployments.apps "none" not found` {
		t.Errorf("want NotFound, got %v", err)
	}
	stale := before.DeepCopy()
	stale.Labels["tier"] = "x"
	if err := here.Update(ctx, stale); !apierrors.IsConflict(err) {
		t.Errorf("want Conflict, got %v", err)
	}
	odd := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "odd"}, "dato": map[string]any{}}}
	if err := client.WithFieldValidation(here, client.Strict).Create(ctx, odd); !apierrors.IsBadRequest(err) {
		t.Errorf("want BadRequest, got %v", err)
	}

	t.Run("forms", func(t *testing.T) { clientForms(t, here, d) })
	t.Run("pages and watch", func(t *testing.T) { clientPages(t, here) })
	t.Run("apply", func(t *testing.T) { clientApply(t, c) })
	check(t, here.DeleteAllOf(ctx, &appsv1.Deployment{}, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	check(t, c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "client"}}))
}

func clientForms(t *testing.T, c client.Client, d *appsv1.Deployment) {
	ctx := t.Context()
	u, m := &unstructured.Unstructured{}, &metav1.PartialObjectMetadata{}
	u.SetGroupVersionKind(d.GroupVersionKind())
	m.SetGroupVersionKind(d.GroupVersionKind())
	check(t, c.Get(ctx, client.KeyOf(d), u))
	check(t, c.Get(ctx, client.KeyOf(d), m))
	if u.GetUID() != d.UID || m.UID != d.UID || m.Kind != "Deployment" || m.Labels["tier"] != "back" {
		t.Errorf("%v and %v", u, m)
	}
	u.SetAnnotations(map[string]string{"a": "b"})
	check(t, c.Update(ctx, u))
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(d.GroupVersionKind().GroupVersion().WithKind("DeploymentList"))
	check(t, c.List(ctx, list))
	if len(list.Items) != 1 || list.Items[0].Annotations["a"] != "b" || list.Items[0].Kind != "Deployment" {
		t.Errorf("list %+v", list)
	}
}

func clientPages(t *testing.T, c client.Client) {
	ctx := t.Context()
	var list corev1.ConfigMapList
	check(t, c.List(ctx, &list))
	w, err := c.Watch(ctx, &list, client.ResourceVersion(list.ResourceVersion))
	check(t, err)
	defer w.Close()
	for i := range 7 {
		name := fmt.Sprint("cm-", i)
		check(t, c.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"of": "pages"}}}))
		for {
			kind, obj, err := w.Next(ctx)
			check(t, err)
			if kind == watch.Added && obj.GetName() == name {
				break
			}
		}
	}
	n := 0
	for cm, err := range client.Each[*corev1.ConfigMap](ctx, c, client.MatchingLabels{"of": "pages"}, client.Limit(3)) {
		check(t, err)
		if cm.Name != fmt.Sprint("cm-", n) {
			t.Errorf("%s is number %d", cm.Name, n)
		}
		n++
	}
	if n != 7 {
		t.Errorf("%d objects", n)
	}
}

// clientApply sends what Applied would not: nothing may come of it.
func clientApply(t *testing.T, c *client.Direct) {
	ctx := t.Context()
	config := func(image string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "client", "name": "web", "finalizers": []any{"example.com/a"}},
			"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
				"name": "web", "image": image, "ports": []any{map[string]any{"containerPort": int64(80), "protocol": "TCP"}},
			}}}}},
		}}
	}
	current := func(image string) *unstructured.Unstructured {
		now := config(image)
		check(t, c.Get(ctx, client.KeyOf(now), now))
		return now
	}
	for _, step := range []struct {
		image string
		label string // that others write before
		sent  bool
	}{{"web:2", "", true}, {"web:2", "", false}, {"web:2", "x", false}, {"web:3", "", true}, {"web:3", "y", false}, {"web:2", "", true}} {
		if step.label != "" {
			check(t, c.Patch(ctx, config(""), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"by":"`+step.label+`"}}}`)), client.FieldOwner("other")))
		}
		now := current(step.image)
		var applied client.Applied // of a process that has just begun: it has nothing but the managedFields
		sent, err := applied.Apply(ctx, c, "", config(step.image), fixed(now), client.ForceOwnership)
		check(t, err)
		if sent != step.sent {
			t.Errorf("%+v: sent=%t", step, sent)
		}
		if !sent {
			check(t, c.Apply(ctx, config(step.image), client.ForceOwnership))
			if after := current(step.image); after.GetResourceVersion() != now.GetResourceVersion() {
				t.Errorf("%+v: what was not sent would have changed the object", step)
			}
		}
	}
	check(t, c.Patch(ctx, config(""), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))))
}

func fixed(now client.Object) client.Current {
	return func(context.Context, client.Object) (client.Object, error) { return now, nil }
}
