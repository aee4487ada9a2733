package client_test

import (
	"testing"

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
