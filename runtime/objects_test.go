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
