package namespace_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers/namespace"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
)

// A namespace goes, with what is in it, whatever goes wrong on the way.
func TestFaults(t *testing.T) {
	scheme := kruntime.NewScheme()
	if err := namespace.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "going"}}
	meta := metav1.ObjectMeta{Namespace: ns.Name, Name: "content"}
	held := &corev1.Secret{ObjectMeta: *meta.DeepCopy()}
	held.Finalizers = []string{"example.com/wait"}
	simtest.Run(t, simtest.Config{
		New: func(t testing.TB) client.Config {
			return client.Config{Host: "http://server", Transport: apiservertest.Start(t, apiservertest.Options{NoListener: true}).Transport()}
		},
		Options:   runtime.Options{Scheme: scheme},
		Setup:     func(mgr *runtime.Manager) error { return namespace.Setup(mgr, namespace.Options{}) },
		Resources: []string{"configmaps", "secrets"},
		Quiet:     20 * time.Second,
		Steps: []simtest.Step{
			simtest.Create(ns),
			simtest.Create(&corev1.ConfigMap{ObjectMeta: meta}),
			simtest.Create(held),
			simtest.Delete(ns),
			simtest.Change(held, func(s *corev1.Secret) { s.Finalizers = nil }),
		},
	})
}
