package garbagecollector_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
)

// Whatever goes wrong on the way, what is owned goes with its owner: in the background, in the foreground, and where
// owners of the same name follow each other. (That orphans stay is promised only for those of which the collector has
// heard before their owner goes, here as in Kubernetes.)
func TestFaults(t *testing.T) {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	simtest.Run(t, simtest.Config{
		New: func(t testing.TB) client.Config {
			return client.Config{Host: "http://server", Transport: apiservertest.Start(t, apiservertest.Options{NoListener: true}).Transport()}
		},
		Options:   runtime.Options{Scheme: scheme},
		Setup:     func(mgr *runtime.Manager) error { return garbagecollector.Setup(mgr, garbagecollector.Options{}) },
		Resources: []string{"configmaps", "secrets"},
		Steps: []simtest.Step{
			{Name: "create an owner with two dependents", Do: dependents("first", "second")},
			{Name: "delete the owner", Do: remove(metav1.DeletePropagationBackground)},
			{Name: "create the owner again, with another dependent", Do: dependents("third")},
			{Name: "delete the owner, dependents first", Do: remove(metav1.DeletePropagationForeground)},
		},
		Check: func(ctx context.Context, c client.Client) error {
			var left corev1.SecretList
			if err := c.List(ctx, &left); err != nil {
				return err
			}
			if len(left.Items) > 0 {
				return fmt.Errorf("%d dependents are left without their owner", len(left.Items))
			}
			return nil
		},
	})
}

func theOwner() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owner"}}
}

// dependents makes the owner, and dependents of it.
func dependents(names ...string) func(context.Context, client.Client) error {
	return func(ctx context.Context, c client.Client) error {
		o := theOwner()
		if err := c.Create(ctx, o); err != nil {
			return err
		}
		for _, name := range names {
			s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
			if err := runtime.SetControllerReference(o, s, c.Scheme()); err != nil {
				return err
			}
			if err := c.Create(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}

func remove(how metav1.DeletionPropagation) func(context.Context, client.Client) error {
	return func(ctx context.Context, c client.Client) error {
		return c.Delete(ctx, theOwner(), client.PropagationPolicy(how))
	}
}
