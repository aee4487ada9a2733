package runtime_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// What a reconciliation says at the last moment is told, in its object's cluster.
func TestEventRecorder(t *testing.T) {
	mgr := manager(t)
	other := apiservertest.Start(t, apiservertest.Options{})
	cl, err := mgr.Join("other", client.Config{Host: "http://server", Transport: other.Transport()})
	ok(t, err)
	home := mgr.EventRecorder("sayer")
	began, release := make(chan struct{}, 2), make(chan struct{})
	collect(t, runtime.NewControllerManagedBy(mgr).Named("sayer").For(&corev1.ConfigMap{}).EveryCluster().
		WithOptions(runtime.ControllerOptions{MaxConcurrentReconciles: 2}),
		func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
			began <- struct{}{}
			recorder := home
			if req.Cluster != "" {
				<-ctx.Done() // the cluster leaves
				recorder = cl.EventRecorder("sayer")
			} else {
				<-release
			}
			for range 3 {
				recorder.Eventf(cm(req.Name), nil, "Normal", "Seen", "Look", "it is %s", req.Name)
			}
			return runtime.Result{}, nil
		})
	stop := run(t, mgr)
	ok(t, mgr.Direct().Create(t.Context(), cm("one")))
	ok(t, cl.Direct().Create(t.Context(), cm("two")))
	<-began
	<-began
	_, metrics := get(t, mgr, "/metrics")
	if want := `event_recorder_events_total{cluster="other",outcome="recorded"} 0`; !strings.Contains(metrics, want) {
		t.Errorf("no %s in %s", want, metrics)
	}
	ok(t, mgr.Leave("other"))
	close(release)
	stop()
	_, metrics = get(t, mgr, "/metrics")
	if want := `event_recorder_events_total{cluster="",outcome="counted"} 2`; !strings.Contains(metrics, want) {
		t.Errorf("no %s in %s", want, metrics)
	}
	for name, c := range map[string]*client.Direct{"one": mgr.Direct(), "two": cl.Direct()} {
		var list corev1.EventList
		ok(t, c.List(t.Context(), &list, client.MatchingFields{"involvedObject.name": name}))
		if len(list.Items) != 1 || list.Items[0].Message != "it is "+name || list.Items[0].ReportingController != "sayer" || list.Items[0].Series.Count != 3 {
			t.Errorf("%s: %+v", name, list.Items)
		}
	}
}
