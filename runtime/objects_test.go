package runtime_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// A status that says the same in other words is not written: a time in another zone, a list that is there and empty.
func TestUpdateStatusWritesChangesOnly(t *testing.T) {
	writes := 0
	c := client.Intercept(manager(t).Direct(), func(context.Context, *client.Call, func(context.Context) error) error {
		writes++
		return nil
	})
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	before := &corev1.Pod{Status: corev1.PodStatus{StartTime: &metav1.Time{Time: at}}}
	same := &corev1.Pod{Status: corev1.PodStatus{StartTime: &metav1.Time{Time: at.In(time.FixedZone("east", 3600))}, PodIPs: []corev1.PodIP{}}}
	ok(t, runtime.UpdateStatus(t.Context(), c, before, same))
	if writes != 0 {
		t.Error("it was written")
	}
	same.Status.Phase = corev1.PodRunning
	ok(t, runtime.UpdateStatus(t.Context(), c, before, same))
	if writes != 1 {
		t.Errorf("%d writes of a change", writes)
	}
}

func TestOwnerReferences(t *testing.T) {
	mgr := manager(t)
	owner, other, obj := cm("owner"), cm("other"), cm("obj")
	owner.UID, other.UID = "u-1", "u-2"
	ok(t, runtime.SetOwnerReference(owner, obj, mgr.Scheme()))
	ok(t, runtime.SetOwnerReference(other, obj, mgr.Scheme()))
	if got := obj.OwnerReferences; len(got) != 2 || got[0] != (metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: "u-1"}) {
		t.Errorf("%+v", got)
	}
	ok(t, runtime.SetControllerReference(owner, obj, mgr.Scheme()))
	ok(t, runtime.SetOwnerReference(owner, obj, mgr.Scheme())) // it stays the controller
	if got := obj.OwnerReferences; len(got) != 2 || !metav1.IsControlledBy(obj, owner) || got[1].UID != "u-2" {
		t.Errorf("%+v", got)
	}
	if err := runtime.SetControllerReference(other, obj, mgr.Scheme()); err == nil {
		t.Error("two controllers")
	}
	owner.Namespace = "elsewhere"
	if err := runtime.SetOwnerReference(owner, obj, mgr.Scheme()); err == nil {
		t.Error("an owner in another namespace")
	}
	if err := runtime.SetOwnerReference(&metav1.PartialObjectMetadata{}, obj, mgr.Scheme()); err == nil {
		t.Error("an owner that the scheme does not know")
	}
}

func TestFinalizers(t *testing.T) {
	obj := cm("obj")
	obj.Finalizers = []string{"example.com/a", "example.com/b"}
	if !runtime.RemoveFinalizer(obj, "example.com/a") || runtime.ContainsFinalizer(obj, "example.com/a") || !runtime.ContainsFinalizer(obj, "example.com/b") {
		t.Error(obj.Finalizers)
	}
}

func TestPredicates(t *testing.T) {
	yes, no := func(runtime.Event) bool { return true }, func(runtime.Event) bool { return false }
	for _, tc := range []struct {
		p    runtime.Predicate
		want bool
	}{
		{runtime.And(), true}, {runtime.And(yes, yes), true}, {runtime.And(yes, no), false},
		{runtime.Or(), false}, {runtime.Or(no, yes), true}, {runtime.Not(yes), false},
	} {
		if got := tc.p(runtime.Event{}); got != tc.want {
			t.Errorf("%t, want %t", got, tc.want)
		}
	}
}
