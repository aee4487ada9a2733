package controllers_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	coordinationv1 "k8s.io/api/coordination/v1"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/controllers/namespace"
	"github.com/keelson-project/keelson/internal/clustertest"
	"github.com/keelson-project/keelson/runtime/client"
)

// Two processes on one cluster, of which one works, and says so in a Lease.
func TestOneOfTwoWorks(t *testing.T) {
	process := func(ctx context.Context, transport http.RoundTripper) error {
		return controllers.Run(ctx, client.Config{Host: "http://server", Transport: transport}, controllers.Options{Elect: true, Logger: testr.New(t)})
	}
	srv := apiservertest.Start(t, apiservertest.Options{Controllers: []apiservertest.Controller{process, process}})
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{coordinationv1.AddToScheme, storagemigrationv1.AddToScheme} {
		ok(t, add(scheme))
	}
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{Scheme: scheme})
	ok(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := &storagemigrationv1.StorageVersionMigration{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	m.Spec.Resource.Resource = "configmaps"
	ok(t, c.Create(ctx, m))
	w, err := c.Watch(ctx, &storagemigrationv1.StorageVersionMigrationList{})
	ok(t, err)
	defer w.Close()
	for !meta.IsStatusConditionTrue(m.Status.Conditions, "Succeeded") {
		_, obj, err := w.Next(ctx)
		ok(t, err)
		m = obj.(*storagemigrationv1.StorageVersionMigration)
	}
	var lease coordinationv1.Lease
	ok(t, c.Get(ctx, client.ObjectKey{Namespace: "kube-system", Name: "keelson-controllers"}, &lease))
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		t.Errorf("nobody holds the lease: %+v", lease.Spec)
	}
}

// A namespace goes with owners, dependents and those who wait for each other in it.
func TestNamespaceAndGarbageCollector(t *testing.T) {
	c := clustertest.Start(t, apiservertest.Options{Controllers: controllers.ForTest(garbagecollector.Name, namespace.Name)})
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	owner := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: owner, namespace: a}}")
	held := c.Create("{apiVersion: v1, kind: Secret, metadata: {name: held, namespace: a, finalizers: [example.com/x], ownerReferences: [" +
		"{apiVersion: v1, kind: ConfigMap, name: owner, uid: " + string(owner.GetUID()) + ", blockOwnerDeletion: true}]}}")
	c.Remove(owner, "Foreground")
	c.Until(held, "is being deleted", func(now *clustertest.Object) bool { return now.GetDeletionTimestamp() != nil })
	c.Remove(ns, "Foreground")
	c.Release(held)
	c.Gone(owner, held, ns)
}

func TestNoSuchController(t *testing.T) {
	err := controllers.Run(t.Context(), client.Config{Host: "http://server"}, controllers.Options{Only: []string{"nobody"}})
	if err == nil || err.Error() != `controllers: there is no "nobody"` {
		t.Error(err)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
