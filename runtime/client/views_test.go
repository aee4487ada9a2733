package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
)

func TestDryRun(t *testing.T) {
	c, ctx := start(t), t.Context()
	dry := client.DryRun(c)
	ok(t, dry.Create(ctx, configMap("one")))
	if err := c.Get(ctx, client.KeyOf(configMap("one")), &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Fatalf("a dry run has created the object: %v", err)
	}
	ok(t, c.Create(ctx, configMap("one")))
	changed := configMap("one")
	changed.Data["a"] = "2"
	ok(t, dry.Update(ctx, changed))
	if changed.Data["a"] != "2" {
		t.Fatal("the answer is not what would be stored")
	}
	ok(t, dry.Patch(ctx, configMap("one"), client.RawPatch(types.MergePatchType, []byte(`{"data":null}`))))
	ok(t, dry.Apply(ctx, bare("one", "9"), client.ForceOwnership))
	ok(t, dry.Delete(ctx, configMap("one")))
	ok(t, dry.DeleteAllOf(ctx, configMap(""), client.InNamespace("default")))
	var now corev1.ConfigMap
	ok(t, c.Get(ctx, client.KeyOf(changed), &now))
	if now.Data["a"] != "1" {
		t.Fatalf("a dry run has changed the object: %v", now.Data)
	}
}

// bare is what an author applies.
func bare(name, a string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: map[string]string{"a": a}}
}

func TestNamespaced(t *testing.T) {
	c, ctx := start(t), t.Context()
	ok(t, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "blue"}}))
	ok(t, c.Create(ctx, configMap("elsewhere")))
	blue := client.Namespaced(c, "blue")
	cm := configMap("one")
	cm.Namespace = ""
	ok(t, blue.Create(ctx, cm))
	if cm.Namespace != "blue" {
		t.Fatalf("created in %q", cm.Namespace)
	}
	var got corev1.ConfigMap
	ok(t, blue.Get(ctx, client.ObjectKey{Name: "one"}, &got))
	if got.UID != cm.UID {
		t.Fatal("not what was created")
	}
	var all corev1.ConfigMapList
	ok(t, blue.List(ctx, &all))
	if len(all.Items) != 1 {
		t.Fatalf("saw %d objects", len(all.Items))
	}
	if err := blue.Create(ctx, configMap("other")); err == nil || !strings.Contains(err.Error(), `create ConfigMap default/other: this client is one of namespace "blue"`) {
		t.Fatalf("an object of another namespace: %v", err)
	}
	if err := blue.List(ctx, &all, client.InNamespace("default")); err == nil {
		t.Fatal("a list of another namespace")
	}
	var namespaces corev1.NamespaceList
	ok(t, blue.List(ctx, &namespaces))
	if len(namespaces.Items) < 2 {
		t.Fatalf("saw %d namespaces", len(namespaces.Items))
	}
	ok(t, blue.DeleteAllOf(ctx, &corev1.ConfigMap{}))
	ok(t, c.List(ctx, &all))
	if len(all.Items) != 1 || all.Items[0].Name != "elsewhere" {
		t.Fatalf("left: %v", all.Items)
	}
}

func TestFieldOwnerAndValidation(t *testing.T) {
	c, ctx := start(t), t.Context()
	mine := client.WithFieldOwner(c, "mine")
	one, two := configMap("one"), configMap("two")
	ok(t, mine.Create(ctx, one))
	ok(t, mine.Create(ctx, two, client.FieldOwner("theirs")))
	if a, b := one.ManagedFields[0].Manager, two.ManagedFields[0].Manager; a != "mine" || b != "theirs" {
		t.Fatalf("owned by %s and %s", a, b)
	}
	odd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "default", "name": "odd"}, "wrong": true,
	}}
	strict := client.WithFieldValidation(c, client.Strict)
	if err := strict.Create(ctx, odd.DeepCopy()); !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "wrong"`) {
		t.Fatalf("want an unknown field, got %v", err)
	}
	ok(t, strict.Create(ctx, odd, client.FieldValidation("Ignore")))
}

func TestWarnings(t *testing.T) {
	srv := apiservertest.Start(t, apiservertest.Options{})
	var warnings []string
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{
		OnWarning: func(_ context.Context, text string) { warnings = append(warnings, text) },
	})
	ok(t, err)
	ok(t, c.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "default", "name": "odd"}, "wrong": true,
	}}, client.FieldValidation("Warn")))
	if len(warnings) != 1 || warnings[0] != `unknown field "wrong"` {
		t.Fatalf("warned of %q", warnings)
	}
}

// TestInterceptSeesAll makes each call once, on an interceptor that fails it, and compares what it was told.
func TestInterceptSeesAll(t *testing.T) {
	refused := errors.New("refused")
	var seen []string
	c := client.Intercept(start(t),
		func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
			seen = append(seen, fmt.Sprintf("%s writes=%t options=%d", call, call.Verb.Writes(), len(call.ListOptions)+len(call.WriteOptions)+len(call.DeleteOptions)))
			return next(ctx)
		},
		func(context.Context, *client.Call, func(context.Context) error) error { return refused })
	ctx, cm, scale := t.Context(), configMap("one"), configMap("one")
	_, watching := c.Watch(ctx, &corev1.ConfigMapList{})
	for i, err := range []error{
		c.Get(ctx, client.KeyOf(cm), cm), c.List(ctx, &corev1.ConfigMapList{}, client.InNamespace("blue")), watching,
		c.Create(ctx, cm, client.FieldOwner("me")), c.Update(ctx, cm), c.Patch(ctx, cm, client.MergeFrom(cm)), c.Apply(ctx, cm, client.ForceOwnership),
		c.Delete(ctx, cm, client.GracePeriodSeconds(0)), c.DeleteAllOf(ctx, cm, client.InNamespace("blue"), client.GracePeriodSeconds(0)),
		c.Status().Get(ctx, cm, nil), c.SubResource("scale").Create(ctx, cm, scale), c.Status().Update(ctx, cm),
		c.Status().Patch(ctx, cm, client.MergeFrom(cm)), c.Status().Apply(ctx, cm),
	} {
		if !errors.Is(err, refused) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	want := `watch ConfigMap writes=false options=0
get ConfigMap default/one writes=false options=0
list ConfigMap blue/ writes=false options=1
create ConfigMap default/one writes=true options=1
update ConfigMap default/one writes=true options=0
patch ConfigMap default/one writes=true options=0
apply ConfigMap default/one writes=true options=1
delete ConfigMap default/one writes=true options=1
deletecollection ConfigMap blue/ writes=true options=2
get ConfigMap/status default/one writes=false options=0
create ConfigMap/scale default/one writes=true options=0
update ConfigMap/status default/one writes=true options=0
patch ConfigMap/status default/one writes=true options=0
apply ConfigMap/status default/one writes=true options=0`
	if got := strings.Join(seen, "\n"); got != want {
		t.Errorf("saw\n%s\nwant\n%s", got, want)
	}
}

// TestInterceptChanges has an interceptor change what next does, and call it twice.
func TestInterceptChanges(t *testing.T) {
	direct, ctx := start(t), t.Context()
	ok(t, direct.Create(ctx, configMap("one")))
	c := client.Intercept(direct, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		call.Key.Name = "one"
		if err := next(ctx); !apierrors.IsAlreadyExists(err) {
			return err
		}
		call.Object.(client.Object).SetName("again")
		return next(ctx)
	})
	var cm corev1.ConfigMap
	ok(t, c.Get(ctx, client.ObjectKey{Namespace: "default", Name: "two"}, &cm))
	if cm.Name != "one" {
		t.Fatalf("got %s", cm.Name)
	}
	made := configMap("one")
	ok(t, c.Create(ctx, made))
	if made.Name != "again" {
		t.Fatalf("made %s", made.Name)
	}
}
