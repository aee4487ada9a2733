package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// index keeps an index of ConfigMaps, from which each is taken out before it goes.
type index struct{ entries map[string]bool }

func (i *index) Reconcile(_ context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
	i.entries[obj.Name] = true
	return runtime.Result{RequeueAfter: time.Hour}, nil
}

func (i *index) Finalize(_ context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
	delete(i.entries, obj.Name)
	return runtime.Result{}, nil
}

// A manager with a controller whose reconciler is given the object, and cleans up after it.
func Example() {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	mgr, err := runtime.New(client.Config{Host: "https://10.0.0.1:6443"}, runtime.Options{Scheme: scheme, FieldOwner: "index"})
	if err != nil {
		panic(err)
	}
	c, err := runtime.NewControllerManagedBy(mgr).
		For(&corev1.ConfigMap{}, runtime.GenerationChanged).
		WithOptions(runtime.ControllerOptions{MaxConcurrentReconciles: 4, ReconcileTimeout: time.Minute}).
		Build(runtime.AsReconciler(mgr.Client(), &index{map[string]bool{}}))
	if err != nil {
		panic(err)
	}
	fmt.Println(c.Name())
	_ = mgr.Run // runs it until its context ends
	// Output: configmap
}

// An index of Pods by what they mount: those that a ConfigMap matters to are found without looking at the others.
func ExampleIndexField() {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	mgr, err := runtime.New(client.Config{Host: "https://10.0.0.1:6443"}, runtime.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	err = runtime.IndexField(mgr, "mounts", func(pod *corev1.Pod) (names []string) {
		for _, v := range pod.Spec.Volumes {
			if v.ConfigMap != nil {
				names = append(names, v.ConfigMap.Name)
			}
		}
		return names
	})
	fmt.Println(err)
	_ = func(ctx context.Context, of *corev1.ConfigMap) (*corev1.PodList, error) {
		pods := &corev1.PodList{}
		return pods, mgr.Client().List(ctx, pods, client.InNamespace(of.Namespace), client.MatchingFields{"mounts": of.Name})
	}
	// Output: <nil>
}

func ExampleAddFinalizer() {
	obj := &corev1.ConfigMap{}
	fmt.Println(runtime.AddFinalizer(obj, "example.com/index"), runtime.AddFinalizer(obj, "example.com/index"))
	fmt.Println(obj.Finalizers)
	// Output:
	// true false
	// [example.com/index]
}

func ExampleSetCondition() {
	obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
	var conditions []metav1.Condition
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Serving"}
	fmt.Println(runtime.SetCondition(obj, &conditions, ready), runtime.SetCondition(obj, &conditions, ready))
	fmt.Println(conditions[0].ObservedGeneration)
	// Output:
	// true false
	// 3
}

// Requests from elsewhere than a watched kind: of a channel, and every so often.
func ExampleChannel() {
	alarms := make(chan string, 1)
	alarms <- "web"
	close(alarms)
	source := runtime.Channel(alarms, func(name string) []runtime.Request {
		return []runtime.Request{runtime.RequestFor(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})}
	})
	_ = source(context.Background(), func(reqs ...runtime.Request) { fmt.Println(reqs) })
	// Output: [default/web]
}

// What trying again does not mend is said to be so.
func ExampleTerminalError() {
	err := runtime.TerminalError(errors.New("spec.size is negative"))
	fmt.Println(err)
	// Output: spec.size is negative
}
