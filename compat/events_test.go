package compat

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clientevents "k8s.io/client-go/tools/events"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
)

// A reconciler that holds client-go's recorder takes ours.
var _ clientevents.EventRecorder = (*events.Recorder)(nil)

// TestEventsAreDescribed has a manager's recorder say something about an object, and kubectl show it.
func TestEventsAreDescribed(t *testing.T) {
	cfg := restConfig(t)
	transport, err := rest.TransportFor(cfg)
	check(t, err)
	scheme := kruntime.NewScheme()
	check(t, corev1.AddToScheme(scheme))
	mgr, err := runtime.New(client.Config{Host: cfg.Host, Transport: transport}, runtime.Options{Scheme: scheme})
	check(t, err)
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "described"}}
	check(t, mgr.Direct().Create(t.Context(), obj))
	t.Cleanup(func() { check(t, mgr.Direct().Delete(context.Background(), obj)) })

	recorder := mgr.EventRecorder("website")
	recorder.Eventf(obj, nil, "Normal", "Deployed", "Deploy", "version %d runs", 3)
	for range 3 {
		recorder.Eventf(obj, nil, "Warning", "NoSuchImage", "Deploy", "there is no image %q", "web:4")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	check(t, mgr.Run(ctx)) // which writes what waits

	out, err := exec.CommandContext(t.Context(), suite.binary, "kubectl", "--kubeconfig", suite.kubeconfig, "describe", "configmap", "described").CombinedOutput()
	check(t, err)
	_, table, _ := strings.Cut(string(out), "Events:")
	var lines []string
	for line := range strings.Lines(table) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	shown := strings.Join(lines, "\n")
	for _, want := range []string{"Normal Deployed ", " website version 3 runs", "Warning NoSuchImage ", "(x3 over ", ` website there is no image "web:4"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}
