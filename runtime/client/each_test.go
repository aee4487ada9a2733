package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
)

func make7(t *testing.T, c client.Client) {
	t.Helper()
	for i := range 7 {
		ok(t, c.Create(t.Context(), configMap(fmt.Sprint("cm-", i))))
	}
}

func TestEach(t *testing.T) {
	c, ctx := start(t), t.Context()
	make7(t, c)
	lists := 0
	counted := client.Intercept(c, func(ctx context.Context, _ *client.Call, next func(context.Context) error) error {
		lists++
		return next(ctx)
	})
	for limit, want := range map[client.Limit]int{0: 1, 1: 7, 3: 3, 7: 1, 500: 1} {
		lists = 0
		var names []string
		for cm, err := range client.Each[*corev1.ConfigMap](ctx, counted, client.InNamespace("default"), limit) {
			ok(t, err)
			if cm.Kind != "ConfigMap" {
				t.Fatal("no kind")
			}
			names = append(names, cm.Name)
		}
		if got := strings.Join(names, " "); got != "cm-0 cm-1 cm-2 cm-3 cm-4 cm-5 cm-6" || lists != want {
			t.Errorf("pages of %d: %s in %d requests, want %d", limit, got, lists, want)
		}
	}
	lists = 0
	for cm, err := range client.Each[*corev1.ConfigMap](ctx, counted, client.Limit(2)) {
		ok(t, err)
		if cm.Name == "cm-2" {
			break
		}
	}
	if lists != 2 {
		t.Errorf("%d requests of a reader who has had enough after 3 objects", lists)
	}
	kind := corev1.SchemeGroupVersion.WithKind("ConfigMapList")
	for _, list := range []client.ObjectList{&unstructured.UnstructuredList{}, &metav1.PartialObjectMetadataList{}} {
		list.GetObjectKind().SetGroupVersionKind(kind)
		n := 0
		for obj, err := range client.EachOf(ctx, c, list, client.InNamespace("default"), client.Limit(3)) {
			ok(t, err)
			if obj.GetName() != fmt.Sprint("cm-", n) {
				t.Errorf("%T: %s is number %d", list, obj.GetName(), n)
			}
			n++
		}
		if n != 7 {
			t.Errorf("%T: %d objects", list, n)
		}
	}
	for _, err := range client.Each[*unstructured.Unstructured](ctx, c) {
		if err == nil {
			t.Error("no error of a type without a kind")
		}
	}
}

// TestEachExpired has the server forget a revision between two pages: once with an offer of the rest, once without.
func TestEachExpired(t *testing.T) {
	for _, offer := range []bool{true, false} {
		t.Run(fmt.Sprint("offer=", offer), func(t *testing.T) {
			srv := apiservertest.Start(t, apiservertest.Options{})
			c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{Scheme: scheme()})
			ok(t, err)
			make7(t, c)
			asked := 0
			forgetful := client.Intercept(c, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
				_, o := client.ListOptionsOf(call.ListOptions...)
				asked++
				if asked != 3 {
					return next(ctx)
				}
				ok(t, c.Create(ctx, configMap("cm-1-late")))
				ok(t, c.Create(ctx, configMap("cm-9-late")))
				status := apierrors.NewResourceExpired("too old")
				if offer {
					status.ErrStatus.Continue = o.Continue // of this server it still works
				}
				return &client.Error{Method: http.MethodGet, Path: "/", Err: status}
			})
			seen := map[string]int{}
			for cm, err := range client.Each[*corev1.ConfigMap](t.Context(), forgetful, client.Limit(2), client.InNamespace("default")) {
				ok(t, err)
				seen[cm.Name]++
			}
			for name, n := range seen {
				if n != 1 {
					t.Errorf("%s came %d times", name, n)
				}
			}
			want := 7 // the rest as the token has it
			if !offer {
				want = 8 // the rest as it is now
			}
			if len(seen) != want || seen["cm-1-late"] != 0 {
				t.Errorf("saw %v", seen)
			}
		})
	}
}

func TestEachFails(t *testing.T) {
	c := start(t)
	make7(t, c)
	broken, n := errors.New("broken"), 0
	failing := client.Intercept(c, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		if _, o := client.ListOptionsOf(call.ListOptions...); o.Continue != "" {
			return broken
		}
		return next(ctx)
	})
	var last error
	for _, err := range client.Each[*corev1.ConfigMap](t.Context(), failing, client.Limit(4)) {
		last = err
		n++
	}
	if n != 5 || !errors.Is(last, broken) {
		t.Fatalf("%d, %v", n, last)
	}
}
