package main

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	v1 "github.com/keelson-project/keelson/samples/website/v1"
)

// The whole path: the operator installs its CRD, a Website gets what it asks for, and leaves nothing in the index.
func TestWebsite(t *testing.T) {
	srv := apiservertest.Start(t, apiservertest.Options{CRDs: []string{"crd.yaml"}})
	cfg := client.Config{Host: "http://server", Transport: srv.Transport()}
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, v1.AddToScheme} {
		ok(t, add(scheme))
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	ok(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	done := make(chan error, 1)
	operator, stop := context.WithCancel(ctx)
	go func() { done <- run(operator, cfg, testr.New(t)) }()
	defer func() {
		stop()
		ok(t, <-done)
		cancel()
	}()

	w, err := c.Watch(ctx, &v1.WebsiteList{}, client.InNamespace("default"))
	ok(t, err)
	defer w.Close()
	site := &v1.Website{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hello"}, Spec: v1.WebsiteSpec{HTML: "<h1>Hello</h1>"}}
	ok(t, c.Create(ctx, site))
	for site.Status.ObservedGeneration == 0 {
		_, obj, err := w.Next(ctx)
		ok(t, err)
		site = obj.(*v1.Website)
	}
	if len(site.Status.Conditions) != 1 || site.Status.Conditions[0].ObservedGeneration != site.Generation {
		t.Errorf("conditions: %+v", site.Status.Conditions)
	}
	var page corev1.ConfigMap
	ok(t, c.Get(ctx, client.KeyOf(site), &page))
	if page.Data["index.html"] != site.Spec.HTML || !metav1.IsControlledBy(&page, site) {
		t.Errorf("page: %+v", page)
	}
	var deployment appsv1.Deployment
	ok(t, c.Get(ctx, client.KeyOf(site), &deployment))
	if *deployment.Spec.Replicas != 1 || !metav1.IsControlledBy(&deployment, site) {
		t.Errorf("deployment: %+v", deployment)
	}

	ok(t, c.Delete(ctx, site))
	for kind := watch.Modified; kind != watch.Deleted; {
		kind, _, err = w.Next(ctx)
		ok(t, err)
	}
	var index corev1.ConfigMap
	ok(t, c.Get(ctx, client.ObjectKey{Namespace: "default", Name: indexName}, &index))
	if len(index.Data) != 0 {
		t.Errorf("left in the index: %v", index.Data)
	}
	if err := c.Get(ctx, client.KeyOf(site), site); !apierrors.IsNotFound(err) {
		t.Errorf("want NotFound, got %v", err)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
