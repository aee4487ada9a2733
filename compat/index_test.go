package compat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	crclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// TestIndexesFindTheSame has controller-runtime's cache and ours list by the same indexes, and compares.
func TestIndexesFindTheSame(t *testing.T) {
	cfg := restConfig(t)
	transport, err := rest.TransportFor(cfg)
	check(t, err)
	ours, err := runtime.New(client.Config{Host: cfg.Host, Transport: transport}, runtime.Options{Scheme: scheme.Scheme})
	check(t, err)
	theirs, err := cluster.New(cfg)
	check(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- ours.Run(ctx) }()
	words := func(obj *corev1.ConfigMap) []string { return strings.Fields(obj.Data["on"]) }
	size := func(obj *corev1.ConfigMap) []string { return []string{fmt.Sprint(len(obj.Data["on"]))} }
	for name, f := range map[string]func(*corev1.ConfigMap) []string{"on": words, "size": size} {
		check(t, runtime.IndexField(ours, name, f))
		check(t, theirs.GetFieldIndexer().IndexField(ctx, &corev1.ConfigMap{}, name, func(obj crclient.Object) []string { return f(obj.(*corev1.ConfigMap)) }))
	}
	go func() { ended <- theirs.Start(ctx) }()
	defer func() { stop(); check(t, <-ended); check(t, <-ended) }()

	r, c := rand.New(rand.NewPCG(3, 4)), ours.Client()
	namespaces := []string{"index-a", "index-b"}
	for _, name := range namespaces {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		check(t, c.Create(ctx, ns))
		t.Cleanup(func() { check(t, ours.Direct().Delete(context.Background(), ns)) })
	}
	for i := range 40 {
		obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespaces[r.IntN(2)], Name: fmt.Sprint("cm-", i%25)}}
		obj.Data = map[string]string{"on": strings.Repeat(fmt.Sprintf("n%d ", r.IntN(3)), r.IntN(3)) + fmt.Sprint("n", r.IntN(3))}
		_, err := runtime.CreateOrUpdate(ctx, c, obj.DeepCopy(), func() error { return nil })
		check(t, err)
		check(t, c.Patch(ctx, obj, client.MergeFrom(&corev1.ConfigMap{ObjectMeta: obj.ObjectMeta})))
	}
	last := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespaces[0], Name: "last"}}
	check(t, c.Create(ctx, last))
	untilWell(t, "their cache has all", func() error {
		return theirs.GetClient().Get(ctx, crclient.ObjectKeyFromObject(last), &corev1.ConfigMap{})
	})
	found := 0
	for _, ns := range append(namespaces, "") {
		for _, fields := range []map[string]string{
			{"on": "n0"}, {"on": "n1"}, {"on": "none"}, {"size": "2"}, {"size": "5"}, {"on": "n2", "size": "5"},
		} {
			var a, b corev1.ConfigMapList
			check(t, c.List(ctx, &a, client.InNamespace(ns), client.MatchingFields(fields)))
			check(t, theirs.GetClient().List(ctx, &b, crclient.InNamespace(ns), crclient.MatchingFields(fields)))
			if got, want := keysIn(&a), keysIn(&b); !slices.Equal(got, want) {
				t.Errorf("%v in %q: %v, with controller-runtime %v", fields, ns, got, want)
			}
			found += len(a.Items)
		}
	}
	if found < 40 {
		t.Errorf("%d were found: nothing is tested", found)
	}
}

func keysIn(list *corev1.ConfigMapList) (keys []string) {
	for i := range list.Items {
		keys = append(keys, client.KeyOf(&list.Items[i]).String()+list.Items[i].ResourceVersion)
	}
	slices.Sort(keys)
	return keys
}
