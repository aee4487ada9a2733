package compat

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// installType creates a CRD with kind Thing in group with the apiextensions clientset, and waits until it is
// established (which it is at once on Keelson).
func installType(t *testing.T, config *rest.Config, group string) schema.GroupVersionResource {
	t.Helper()
	client, err := apiextensions.NewForConfig(config)
	check(t, err)
	preserve := true
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "things." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "things", Singular: "thing", Kind: "Thing", ListKind: "ThingList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: &preserve,
				}},
			}},
		},
	}
	crds := client.ApiextensionsV1().CustomResourceDefinitions()
	_, err = crds.Create(t.Context(), crd, metav1.CreateOptions{})
	check(t, err)
	t.Cleanup(func() {
		if err := crds.Delete(context.Background(), crd.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	gvr := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "things"}
	things, err := dynamic.NewForConfig(config)
	check(t, err)
	eventually(t, "the type is served", func() bool {
		_, err := things.Resource(gvr).List(t.Context(), metav1.ListOptions{})
		return err == nil
	})
	return gvr
}

func thing(group, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Thing",
		"metadata": map[string]any{"name": name, "namespace": "default"},
		"spec":     map[string]any{"size": int64(1)},
	}}
}

// An informer sees what was there, what changes and what goes; lists come in pages.
func TestDynamicClientAndInformer(t *testing.T) {
	const group = "dynamic.compat.example.com"
	config := restConfig(t)
	gvr := installType(t, config, group)
	client, err := dynamic.NewForConfig(config)
	check(t, err)
	things := client.Resource(gvr).Namespace("default")
	for _, name := range []string{"a", "b", "c"} {
		_, err := things.Create(t.Context(), thing(group, name), metav1.CreateOptions{})
		check(t, err)
	}

	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	informer := factory.ForResource(gvr)
	var mu sync.Mutex
	seen := map[string]int{}
	count := func(what string) { mu.Lock(); defer mu.Unlock(); seen[what]++ }
	_, err = informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { count("add") },
		UpdateFunc: func(_, _ any) { count("update") },
		DeleteFunc: func(any) { count("delete") },
	})
	check(t, err)
	stop := make(chan struct{})
	factory.Start(stop)
	defer factory.Shutdown()
	defer close(stop)
	eventually(t, "the informer has synced", informer.Informer().HasSynced)

	_, err = things.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"spec":{"size":2}}`), metav1.PatchOptions{})
	check(t, err)
	check(t, things.Delete(t.Context(), "b", metav1.DeleteOptions{}))
	eventually(t, "every event came", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen["add"] == 3 && seen["update"] == 1 && seen["delete"] == 1
	})

	page, err := things.List(t.Context(), metav1.ListOptions{Limit: 1})
	check(t, err)
	if len(page.Items) != 1 || page.GetContinue() == "" || page.GetRemainingItemCount() == nil || *page.GetRemainingItemCount() != 1 {
		t.Fatalf("first page: %d items, continue %q, remaining %v", len(page.Items), page.GetContinue(), page.GetRemainingItemCount())
	}
	rest, err := things.List(t.Context(), metav1.ListOptions{Limit: 1, Continue: page.GetContinue()})
	check(t, err)
	if len(rest.Items) != 1 || rest.Items[0].GetName() != "c" || rest.GetContinue() != "" {
		t.Fatalf("second page: %v", rest.Items)
	}
}

// The typed clientset speaks protobuf where it may and JSON where it must: both are negotiated.
func TestTypedClientset(t *testing.T) {
	config := restConfig(t)
	for _, accept := range []string{"application/json", "application/vnd.kubernetes.protobuf,application/json"} {
		t.Run(accept, func(t *testing.T) {
			c := rest.CopyConfig(config)
			c.AcceptContentTypes = accept
			client, err := kubernetes.NewForConfig(c)
			check(t, err)
			maps := client.CoreV1().ConfigMaps("default")
			created, err := maps.Create(t.Context(), &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{GenerateName: "compat-"}, Data: map[string]string{"k": "1"}}, metav1.CreateOptions{})
			check(t, err)
			old := created.DeepCopy()
			created.Data["k"] = "2"
			updated, err := maps.Update(t.Context(), created, metav1.UpdateOptions{})
			check(t, err)
			if updated.Data["k"] != "2" || updated.UID != old.UID || updated.ResourceVersion == old.ResourceVersion {
				t.Fatalf("updated: %v", updated)
			}
			if _, err := maps.Update(t.Context(), old, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
				t.Fatalf("update of an old version: %v, want a conflict", err)
			}
			wrong := types.UID("no-such-uid")
			err = maps.Delete(t.Context(), old.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}})
			if !apierrors.IsConflict(err) {
				t.Fatalf("delete of another uid: %v, want a conflict", err)
			}
			check(t, maps.Delete(t.Context(), old.Name, metav1.DeleteOptions{}))
			if _, err := maps.Get(t.Context(), old.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Fatalf("get of the deleted: %v, want not found", err)
			}
		})
	}
}

// Of two candidates one leads; when it lets go, the other does.
func TestLeaderElection(t *testing.T) {
	client, err := kubernetes.NewForConfig(restConfig(t))
	check(t, err)
	leads := make(chan string, 2)
	var all sync.WaitGroup
	defer all.Wait()
	run := func(ctx context.Context, id string) {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, "default", "compat-election",
			client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: id})
		check(t, err)
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) { leads <- id },
				OnStoppedLeading: func() {},
			},
		})
		check(t, err)
		all.Go(func() { elector.Run(ctx) })
	}
	first, stopFirst := context.WithCancel(t.Context())
	defer stopFirst()
	run(first, "first")
	if got := <-leads; got != "first" {
		t.Fatalf("%s leads", got)
	}
	second, stopSecond := context.WithCancel(t.Context())
	defer stopSecond()
	run(second, "second")
	stopFirst()
	select {
	case got := <-leads:
		if got != "second" {
			t.Fatalf("%s leads", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the second candidate does not lead after the first let go")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually asks until done says yes, at most 30 seconds. What is waited for happens in another process.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	untilWell(t, what, func() error {
		if !done() {
			return errors.New("not yet")
		}
		return nil
	})
}

// untilWell is eventually for what says what is wrong.
func untilWell(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: not within 30 seconds: %v", what, err)
		case <-tick.C:
		}
	}
}
