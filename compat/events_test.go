package compat

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
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
	mgr, err := runtime.New(client.Config{Host: cfg.Host, Transport: transport}, runtime.Options{Scheme: scheme.Scheme})
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

	command := limitedArgs("--kubeconfig", suite.kubeconfig, "describe", "configmap", "described")
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, hung(err))
	}
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

// TestEventsAreClientGos has client-go's recorder and ours say the same about two objects, and compares the Events.
func TestEventsAreClientGos(t *testing.T) {
	cfg := restConfig(t)
	set, err := kubernetes.NewForConfig(cfg)
	check(t, err)
	transport, err := rest.TransportFor(cfg)
	check(t, err)
	mgr, err := runtime.New(client.Config{Host: cfg.Host, Transport: transport}, runtime.Options{Scheme: scheme.Scheme})
	check(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- mgr.Run(ctx) }()
	defer func() { stop(); check(t, <-done) }()
	broadcaster := clientevents.NewBroadcaster(&clientevents.EventSinkImpl{Interface: set.EventsV1()})
	check(t, broadcaster.StartRecordingToSinkWithContext(ctx))
	defer broadcaster.Shutdown()

	before, err := set.EventsV1().Events("default").List(ctx, metav1.ListOptions{})
	check(t, err)
	watcher, err := set.EventsV1().Events("default").Watch(ctx, metav1.ListOptions{ResourceVersion: before.ResourceVersion})
	check(t, err)
	defer watcher.Stop()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default", UID: "u-1", ResourceVersion: "7"}}
	said := map[string][]string{}
	for name, recorder := range map[string]clientevents.EventRecorder{
		"theirs": broadcaster.NewRecorder(scheme.Scheme, "example.com/twin"), "ours": mgr.EventRecorder("example.com/twin"),
	} {
		obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "twin", UID: "u-2", ResourceVersion: "8"}}
		recorder.Eventf(obj, ns, "Warning", "NoSuchImage", "Deploy", "there is no %q", "a")
		said[name] = append(said[name], plainEvent(t, <-watcher.ResultChan()))
		recorder.Eventf(ns, nil, "Normal", "Made", "Make", "it is there")
		said[name] = append(said[name], plainEvent(t, <-watcher.ResultChan()))
	}
	for i, theirs := range said["theirs"] {
		if ours := said["ours"][i]; ours != theirs {
			t.Errorf("client-go writes\n%s\nwe write\n%s", theirs, ours)
		}
	}
}

// plainEvent is an Event without what differs from one to the next.
func plainEvent(t *testing.T, e watch.Event) string {
	t.Helper()
	event, ok := e.Object.(*eventsv1.Event)
	if !ok || e.Type != watch.Added {
		t.Fatalf("saw %v", e)
	}
	prefix, _, _ := strings.Cut(event.Name, ".")
	event.ObjectMeta = metav1.ObjectMeta{Namespace: event.Namespace, Name: prefix}
	event.EventTime, event.ReportingInstance = metav1.MicroTime{}, event.ReportingInstance[:len("example.com/twin-")]
	data, err := json.MarshalIndent(event, "", " ")
	check(t, err)
	return string(data)
}
