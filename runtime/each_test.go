package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// Each reads from the cache what List does, through views as well, and asks the server for the rest.
func TestEachReadsTheCache(t *testing.T) {
	mgr, count, _ := counting(t, runtime.Options{Kinds: map[schema.GroupKind]runtime.CacheOptions{{Kind: "Secret"}: {Uncached: true}}})
	c, ctx := mgr.Client(), t.Context()
	for i := range 6 {
		obj := cm(fmt.Sprint("cm-", i))
		obj.Labels = map[string]string{"odd": fmt.Sprint(i % 2)}
		ok(t, c.Create(ctx, obj))
		secret := &corev1.Secret{}
		obj.ObjectMeta.DeepCopyInto(&secret.ObjectMeta)
		secret.ResourceVersion, secret.UID = "", ""
		ok(t, c.Create(ctx, secret))
	}
	ok(t, c.List(ctx, &corev1.ConfigMapList{}))
	var calls []client.Verb
	view := client.Intercept(client.DryRun(c), func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		calls = append(calls, call.Verb)
		call.ListOptions = append(call.ListOptions, client.MatchingLabels{"odd": "1"})
		return next(ctx)
	})
	list := &corev1.ConfigMapList{}
	uncached := &corev1.SecretList{}
	for _, tc := range []struct {
		name     string
		of       client.Client
		list     client.ObjectList
		opts     []client.ListOption
		want     []string
		requests int32
	}{
		{"all of a namespace", c, list, nil, []string{"cm-0", "cm-1", "cm-2", "cm-3", "cm-4", "cm-5"}, 0},
		{"a limit", c, list, []client.ListOption{client.Limit(2), client.MatchingLabels{"odd": "0"}}, []string{"cm-0", "cm-2", "cm-4"}, 0},
		{"a view", view, list, []client.ListOption{client.Limit(1)}, []string{"cm-1", "cm-3", "cm-5"}, 0},
		{"by name", c, list, []client.ListOption{client.MatchingFields{"metadata.name": "cm-3"}}, []string{"cm-3"}, 0},
		{"a revision", c, list, []client.ListOption{client.ResourceVersion("0"), client.Limit(3), client.MatchingLabels{"odd": "0"}}, []string{"cm-0", "cm-2", "cm-4"}, 1},
		{"not cached", c, uncached, []client.ListOption{client.Limit(4), client.MatchingLabels{"odd": "0"}}, []string{"cm-0", "cm-2", "cm-4"}, 1},
		{"a view of what is not cached", view, uncached, []client.ListOption{client.Limit(2)}, []string{"cm-1", "cm-3", "cm-5"}, 2},
	} {
		before := count.gets.Load()
		var names []string
		for obj, err := range client.EachOf(ctx, tc.of, tc.list, append(tc.opts, client.InNamespace("default"))...) {
			ok(t, err)
			if n := obj.GetName(); n != "kube-root-ca.crt" {
				names = append(names, n)
			}
			obj.SetLabels(nil) // what comes is the caller's own
		}
		if asked := count.gets.Load() - before; !slices.Equal(names, tc.want) || asked != tc.requests {
			t.Errorf("%s: %v in %d requests, want %v in %d", tc.name, names, asked, tc.want, tc.requests)
		}
	}
	for obj, err := range client.Each[*corev1.ConfigMap](ctx, view) {
		ok(t, err)
		if obj.Name == "cm-3" {
			break
		}
	}
	if want := []client.Verb{"list", "list", "list"}; !slices.Equal(calls, want) {
		t.Errorf("the view has seen %v", calls)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range client.Each[*corev1.Pod](ended, view) {
		if err == nil {
			t.Error("no error of a cache that cannot be waited for")
		}
	}
}
