package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// TestWhy has a controller work on an object, and asks why.
func TestWhy(t *testing.T) {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	srv := apiservertest.Start(t, apiservertest.Options{})
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: srv.Transport()}, runtime.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	labelled := make(chan struct{}, 10)
	reconciler := runtime.ObjectReconcilerFunc[*corev1.ConfigMap](func(ctx context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
		if obj.Name != "web" {
			return runtime.Result{}, nil
		}
		if obj.Labels["seen"] == "yes" {
			labelled <- struct{}{}
			return runtime.Result{}, nil
		}
		obj.Labels = map[string]string{"seen": "yes"}
		return runtime.Result{}, mgr.Client().Update(ctx, obj)
	})
	if err := runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(runtime.AsReconciler(mgr.Client(), reconciler)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- mgr.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	web := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	if err := mgr.Client().Create(ctx, web); err != nil {
		t.Fatal(err)
	}
	<-labelled
	pages := httptest.NewServer(mgr.Handler())
	defer pages.Close()
	why := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := command()
		c.SetArgs(append([]string{"why", "--address", pages.URL}, args...))
		c.SetOut(&out)
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	var told string
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); strings.Count(told, "success in ") < 2; { // the run is noted after it has sent
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("two runs are not told of:\n%s", told)
		}
		if told, err = why("configmap", "default/web"); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"because ConfigMap default/web modified (", ": metadata.labels\n", " (none -> ", // added, or there when the watch began
		"wrote   update ConfigMap default/web -> ",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in\n%s", want, told)
		}
	}
	if _, err := why("other"); err == nil || !strings.Contains(err.Error(), "there are: configmap") {
		t.Errorf("of another controller: %v", err)
	}
	if _, err := why("configmap", "default/none"); err == nil || !strings.Contains(err.Error(), "remembers no reconciliation of default/none") {
		t.Errorf("of another object: %v", err)
	}
}

// TestWhyOfTheServer asks a running server for its own controllers; only who may is told.
func TestWhyOfTheServer(t *testing.T) {
	s := start(t, "--storage", "memory", "--data-dir", t.TempDir())
	why := func(args ...string) (string, error) {
		out, err := keelson(t, append([]string{"why", "--kubeconfig", s.kubeconfig}, args...)...).CombinedOutput()
		return string(out), err
	}
	var out string
	for !strings.Contains(out, "remembers no reconciliation of anything") { // they start after the server
		if out, _ = why("storageversionmigration"); strings.Contains(out, "not that of a manager") {
			t.Fatal(out)
		}
	}
	if out, err := why("nobody"); err == nil || !strings.Contains(out, "storageversionmigration") {
		t.Errorf("of a controller that is not: %v %s", err, out)
	}
	told, err := keelson(t, "why", "--address", s.url, "storageversionmigration").CombinedOutput()
	if err == nil {
		t.Errorf("told to a stranger: %s", told)
	}
}
