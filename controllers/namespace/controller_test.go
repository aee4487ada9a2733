package namespace_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/namespace"
	"github.com/keelson-project/keelson/internal/clustertest"
)

func start(t *testing.T) *clustertest.Cluster {
	t.Helper()
	return clustertest.Start(t, apiservertest.Options{Controllers: controllers.ForTest(namespace.Name)})
}

// Everything in a namespace goes with it, whatever its kind; and what is elsewhere stays.
func TestContentGoes(t *testing.T) {
	c := start(t)
	c.Create(clustertest.Websites)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	var inside, outside []*clustertest.Object
	for _, doc := range []string{
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: %s}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: %s}}",
		"{apiVersion: example.com/v1, kind: Website, metadata: {name: x, namespace: %s}}",
		"{apiVersion: v1, kind: Event, metadata: {name: x, namespace: %[1]s}, involvedObject: {namespace: %[1]s}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: %s}, spec: {containers: [{name: a, image: a}]}}",
	} {
		inside = append(inside, c.Create(fmt.Sprintf(doc, "a")))
		outside = append(outside, c.Create(fmt.Sprintf(doc, "default")))
	}
	c.Remove(ns, "")
	c.Gone(append(inside, ns)...)
	c.There(outside...)
	again := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: a}}")
	c.Remove(again, "Foreground") // with nobody who would take that finalizer away
	c.Until(again, "is let go", func(now *clustertest.Object) bool { return len(conditions(t, now).Spec.Finalizers) == 0 })
	c.Release(again)
	c.Gone(again)
}

// A finalizer holds an object and so the namespace, whose conditions name it. When it lets go, all go.
func TestFinalizersAreWaitedFor(t *testing.T) {
	c := start(t)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	held := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: a, finalizers: [example.com/x, example.com/y]}}")
	c.Create("{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: a, finalizers: [example.com/x]}}")
	free := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: free, namespace: a}}")
	c.Remove(ns, "")
	now := c.Until(ns, "has conditions", func(now *clustertest.Object) bool { return len(conditions(t, now).Status.Conditions) > 0 })
	wantConditions(t, now,
		"NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered",
		"NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed",
		"NamespaceDeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization",
		"NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances, secrets. has 1 resource instances",
		"NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/x in 2 resource instances, example.com/y in 1 resource instances",
	)
	c.Gone(free)
	c.Release(held)
	now = c.Until(ns, "tells of one", func(now *clustertest.Object) bool {
		return !strings.Contains(fmt.Sprint(conditions(t, now).Status.Conditions), "configmaps")
	})
	if text := fmt.Sprint(conditions(t, now).Status.Conditions); !strings.Contains(text, "secrets. has 1 resource instances") {
		t.Error(text)
	}
	c.Release(c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: unrelated}}"))
	secret := &clustertest.Object{}
	secret.SetAPIVersion("v1")
	secret.SetKind("Secret")
	secret.SetNamespace("a")
	secret.SetName("other")
	c.Release(secret)
	c.Gone(ns)
}

// Pods may need what is beside them until they have ended.
func TestPodsGoFirst(t *testing.T) {
	c := start(t)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	pod := c.Create("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a, finalizers: [example.com/x]}, spec: {containers: [{name: a, image: a}]}}")
	config := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: a}}")
	c.Remove(ns, "")
	now := c.Until(ns, "has conditions", func(now *clustertest.Object) bool { return len(conditions(t, now).Status.Conditions) > 0 })
	if text := fmt.Sprint(conditions(t, now).Status.Conditions); !strings.Contains(text, "Some resources are remaining: pods. has 1 resource instances}") {
		t.Error(text)
	}
	c.There(config)
	c.Release(pod)
	c.Gone(pod, config, ns)
}

// A finalizer of another's in the namespace's own spec keeps it, empty.
func TestOthersMayHoldTheNamespace(t *testing.T) {
	c := start(t)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}, spec: {finalizers: [example.com/x]}}")
	config := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: a}}")
	c.Remove(ns, "")
	c.Gone(config)
	now := c.Until(ns, "is let go by this one", func(now *clustertest.Object) bool { return len(conditions(t, now).Spec.Finalizers) == 1 })
	if f := conditions(t, now).Spec.Finalizers; f[0] != "example.com/x" {
		t.Errorf("left are %v", f)
	}
	now.Object["spec"] = map[string]any{}
	c.Must(c.SubResource("finalize").Update(t.Context(), now))
	c.Gone(ns)
}

func TestManyObjects(t *testing.T) {
	c := start(t)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	for i := range 600 {
		c.Create(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, namespace: a}}", i))
	}
	c.Remove(ns, "")
	c.Gone(ns)
}

func conditions(t *testing.T, obj *clustertest.Object) *corev1.Namespace {
	t.Helper()
	if obj == nil {
		t.Fatal("the namespace is gone too early")
	}
	ns := &corev1.Namespace{}
	if err := kruntime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, ns); err != nil {
		t.Fatal(err)
	}
	return ns
}

func wantConditions(t *testing.T, obj *clustertest.Object, want ...string) {
	t.Helper()
	var got []string
	for _, c := range conditions(t, obj).Status.Conditions {
		got = append(got, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("conditions:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
