package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime/client"
)

// fromServer is a cache that is never late. managedFields says whether it keeps them.
func fromServer(c client.Reader, managedFields bool) client.Current {
	return func(ctx context.Context, obj client.Object) (client.Object, error) {
		now := obj.DeepCopyObject().(client.Object)
		err := c.Get(ctx, client.KeyOf(obj), now)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if !managedFields {
			now.SetManagedFields(nil)
		}
		return now, err
	}
}

// deployment is a random opinion on one, of few that are possible: most are had several times.
func deployment(r *rand.Rand) *unstructured.Unstructured {
	pick := func(n int) bool { return r.IntN(n) == 0 }
	var containers, ports []any
	for i := range 1 + r.IntN(2) {
		containers = append(containers, map[string]any{"name": fmt.Sprint("c", i), "image": fmt.Sprint("image-", r.IntN(2))})
	}
	if pick(2) {
		ports = append(ports, map[string]any{"containerPort": int64(80 + r.IntN(2)), "protocol": "TCP"})
		containers[0].(map[string]any)["ports"] = ports
	}
	if pick(3) {
		containers[0].(map[string]any)["resources"] = map[string]any{"requests": map[string]any{"cpu": "1000m"}} // the server writes 1
	}
	if pick(3) {
		containers[0].(map[string]any)["args"] = []any{"a", fmt.Sprint(r.IntN(2))} // owned as a whole
	}
	labels := map[string]any{"app": "web"}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "default", "name": "web", "labels": labels},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app": "web"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "web"}}, "spec": map[string]any{"containers": containers}},
		},
	}}
	if pick(2) {
		u.SetFinalizers([]string{"example.com/a", "example.com/b"}[:1+r.IntN(2)])
	}
	if pick(3) {
		labels["tier"] = fmt.Sprint(r.IntN(2))
	}
	if pick(3) {
		u.Object["spec"].(map[string]any)["replicas"] = int64(r.IntN(3))
	}
	return u
}

// TestSkippedAppliesChangeNothing has two owners and others write one object at random. Whatever Applied does not send
// is sent after all, and must leave the object as it is. (Servers note a new time in managedFields where a value comes in
// another spelling than theirs, and write that where it changes the order of the entries.)
func TestSkippedAppliesChangeNothing(t *testing.T) {
	for _, managedFields := range []bool{false, true} {
		t.Run(fmt.Sprint("managedFields=", managedFields), func(t *testing.T) {
			c, ctx, r := start(t), t.Context(), rand.New(rand.NewPCG(7, 7))
			applied := &client.Applied{}
			skipped, sent := 0, 0
			var opinions [2]*unstructured.Unstructured
			for range 200 {
				if r.IntN(4) == 0 {
					disturb(t, c, r)
				}
				which := r.IntN(2)
				if opinions[which] == nil || r.IntN(3) == 0 {
					opinions[which] = deployment(r)
				}
				config, owner := opinions[which], client.FieldOwner(fmt.Sprint("owner-", which))
				obj := config.DeepCopy()
				was, err := applied.Apply(ctx, c, "", obj, fromServer(c, managedFields), owner, client.ForceOwnership)
				if apierrors.IsInvalid(err) { // what only one owner gave is gone, and another's half of a container is left
					continue
				}
				ok(t, err)
				if obj.GetUID() == "" {
					t.Fatal("no answer")
				}
				if was {
					sent++
					continue
				}
				skipped++
				before, again := config.DeepCopy(), config.DeepCopy()
				ok(t, c.Get(ctx, client.KeyOf(config), before))
				ok(t, c.Apply(ctx, again, owner, client.ForceOwnership))
				if again.GetResourceVersion() != obj.GetResourceVersion() && content(again) != content(before) {
					t.Fatalf("an Apply that was skipped changes the object: of %v\n%v\nis made\n%v", config, obj, again)
				}
			}
			t.Logf("%d of %d were not sent", skipped, skipped+sent)
			if skipped < 10 || sent < 100 {
				t.Errorf("%d skipped, %d sent: nothing is tested", skipped, sent)
			}
		})
	}
}

// content of an object, but for times and order in managedFields.
func content(obj *unstructured.Unstructured) string {
	owners := map[string]string{}
	for _, e := range obj.GetManagedFields() {
		owners[fmt.Sprint(e.Manager, e.Operation, e.Subresource, e.APIVersion)] = e.FieldsV1.GetRawString()
	}
	obj = obj.DeepCopy()
	obj.SetManagedFields(nil)
	obj.SetResourceVersion("")
	return fmt.Sprint(obj.Object, owners)
}

// disturb writes as others do.
func disturb(t *testing.T, c *client.Direct, r *rand.Rand) {
	t.Helper()
	u := deployment(r)
	patch := []string{
		`{"metadata":{"annotations":{"x":"` + fmt.Sprint(r.IntN(9)) + `"}}}`, `{"spec":{"replicas":2}}`, `{"metadata":{"labels":{"tier":"0"}}}`, `{"metadata":{"finalizers":null}}`,
	}[r.IntN(4)]
	err := c.Patch(t.Context(), u, client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner("other"))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsInvalid(err) {
		t.Fatal(err)
	}
}

func TestApplyIsSkipped(t *testing.T) {
	direct, ctx := start(t), t.Context()
	sends := 0
	counted := client.Intercept(direct, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		if call.Verb == client.VerbApply {
			sends++
		}
		return next(ctx)
	})
	for _, managedFields := range []bool{false, true} {
		name := fmt.Sprint("cm-", managedFields)
		c := client.WithFieldOwner(client.SkipApplied(counted, fromServer(direct, managedFields)), "me")
		step := func(what string, want int, obj client.Object, opts ...client.WriteOption) {
			t.Helper()
			sends = 0
			ok(t, c.Apply(ctx, obj, opts...))
			if sends != want || obj.GetUID() == "" {
				t.Errorf("%s (managedFields=%t): sent %d, want %d", what, managedFields, sends, want)
			}
		}
		through := map[bool]int{false: 1, true: 0}[managedFields] // another's write: only managedFields tell that it does not matter
		step("the first", 1, bare(name, "1"))
		step("again", 0, bare(name, "1"))
		step("another value", 1, bare(name, "2"))
		step("another owner", 1, bare(name, "2"), client.FieldOwner("you"))
		step("after that", through, bare(name, "2"))
		step("a dry run", 1, bare(name, "2"), client.DryRunAll)
		ok(t, direct.Patch(ctx, bare(name, ""), client.RawPatch(types.MergePatchType, []byte(`{"data":{"other":"x"}}`))))
		step("others wrote what is theirs", through, bare(name, "2"))
		ok(t, direct.Patch(ctx, bare(name, ""), client.RawPatch(types.MergePatchType, []byte(`{"data":{"a":"x"}}`))))
		step("others wrote what is ours", 1, bare(name, "2"), client.ForceOwnership)
		ok(t, direct.Delete(ctx, bare(name, "")))
		step("after it was deleted", 1, bare(name, "2"))
		ok(t, direct.Delete(ctx, bare(name, "")))
		ok(t, direct.Create(ctx, bare(name, "2")))
		step("after others made it", 1, bare(name, "2"))
		step("and again", 0, bare(name, "2"))
		conditional := bare(name, "2")
		conditional.ResourceVersion = "1"
		if err := c.Apply(ctx, conditional); !apierrors.IsConflict(err) {
			t.Errorf("want a Conflict, got %v", err)
		}
	}
}

func TestApplyOfStatusIsSkipped(t *testing.T) {
	c, ctx := start(t), t.Context()
	status := func(text string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "blue"},
			"status": map[string]any{"conditions": []any{map[string]any{
				"type": "Good", "status": "True", "reason": "R", "message": text, "lastTransitionTime": "2026-01-01T00:00:00Z",
			}}},
		}}
	}
	ns := status("")
	delete(ns.Object, "status")
	ok(t, c.Create(ctx, ns))
	for _, managedFields := range []bool{false, true} {
		var applied client.Applied
		for i, want := range []bool{true, false, true, false} {
			sent, err := applied.Apply(ctx, c, "status", status(fmt.Sprint(managedFields, i/2)), fromServer(c, managedFields))
			ok(t, err)
			if sent != want {
				t.Errorf("managedFields=%t, step %d: sent=%t", managedFields, i, sent)
			}
		}
	}
}

// TestFieldsOfAnotherSubresource: what the owner applied to the object says nothing of what it applied to its status.
func TestFieldsOfAnotherSubresource(t *testing.T) {
	c, ctx := start(t), t.Context()
	labelled := func() *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "blue", "labels": map[string]any{"a": "1"}},
		}}
	}
	ok(t, c.Apply(ctx, labelled()))
	var applied client.Applied
	for subresource, want := range map[string]bool{"": false, "status": true} {
		sent, err := applied.Apply(ctx, c, subresource, labelled(), fromServer(c, true))
		ok(t, err)
		if sent != want {
			t.Errorf("subresource %q: sent=%t", subresource, sent)
		}
	}
}

func TestCurrentFails(t *testing.T) {
	broken := errors.New("broken")
	c := client.SkipApplied(start(t), func(context.Context, client.Object) (client.Object, error) { return nil, broken })
	if err := c.Apply(t.Context(), bare("one", "1")); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}
