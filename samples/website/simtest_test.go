package main

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
	v1 "github.com/keelson-project/keelson/samples/website/v1"
)

// Whatever goes wrong on the way, the operator arrives where it does undisturbed.
func TestFaults(t *testing.T) {
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, v1.AddToScheme} {
		ok(t, add(scheme))
	}
	site := &v1.Website{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hello"}, Spec: v1.WebsiteSpec{HTML: "<h1>Hello</h1>"}}
	servers := &appsv1.Deployment{ObjectMeta: site.ObjectMeta}
	simtest.Run(t, simtest.Config{
		New: func(t testing.TB) client.Config {
			srv := apiservertest.Start(t, apiservertest.Options{CRDs: []string{"crd.yaml"}, NoListener: true})
			return client.Config{Host: "http://server", Transport: srv.Transport()}
		},
		Options: runtime.Options{Scheme: scheme, FieldOwner: "website"},
		Setup:   setup,
		Steps: []simtest.Step{
			simtest.Create(site),
			simtest.ChangeStatus(servers, func(d *appsv1.Deployment) { // as the controller of Deployments would
				d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, ReadyReplicas: 1}
			}),
			simtest.Change(site, func(s *v1.Website) { s.Spec.HTML = "<h1>Hello again</h1>" }),
			simtest.Delete(site),
		},
	})
}
