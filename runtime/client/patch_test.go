package client_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/runtime/client"
)

// widgetConfiguration is as generators write them.
type widgetConfiguration struct {
	Kind       *string            `json:"kind,omitempty"`
	APIVersion *string            `json:"apiVersion,omitempty"`
	Metadata   map[string]string  `json:"metadata,omitempty"`
	Data       *map[string]string `json:"data,omitempty"`
}

func (widgetConfiguration) IsApplyConfiguration() {}

func TestConfiguration(t *testing.T) {
	kind, version := "ConfigMap", "v1"
	u, err := client.Configuration(widgetConfiguration{
		Kind: &kind, APIVersion: &version, Metadata: map[string]string{"namespace": "default", "name": "one"}, Data: &map[string]string{"a": "1"},
	})
	ok(t, err)
	ok(t, start(t).Apply(t.Context(), u))
	if u.GetUID() == "" {
		t.Fatal("not applied")
	}
	if _, err := client.Configuration(widgetConfiguration{}); err == nil {
		t.Fatal("one without a kind")
	}
}

func TestMergeFromWithOptimisticLock(t *testing.T) {
	c, ctx := start(t), t.Context()
	obj := configMap("one")
	ok(t, c.Create(ctx, obj))
	before := obj.DeepCopy()
	obj.Finalizers = []string{"example.com/a"}
	ok(t, c.Patch(ctx, obj, client.MergeFromWithOptimisticLock(before)))
	if obj.ResourceVersion == before.ResourceVersion {
		t.Fatal("nothing was written")
	}
	stale := before.DeepCopy()
	stale.Data = map[string]string{"a": "1"}
	if err := c.Patch(ctx, stale, client.MergeFromWithOptimisticLock(before)); !apierrors.IsConflict(err) {
		t.Errorf("want a Conflict, got %v", err)
	}
	ok(t, c.Patch(ctx, stale, client.MergeFrom(before)))
	before.ResourceVersion = ""
	if err := c.Patch(ctx, stale, client.MergeFromWithOptimisticLock(before)); err == nil || !strings.Contains(err.Error(), "default/one has no resourceVersion") {
		t.Error(err)
	}
}
