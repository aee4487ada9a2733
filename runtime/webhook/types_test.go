package webhook_test

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var group = schema.GroupVersion{Group: "e.com", Version: "v1"}

// Website of v1 is what these tests are about.
type Website struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              WebsiteSpec `json:"spec"`
}

type WebsiteSpec struct {
	Host     string   `json:"host"`
	Replicas int      `json:"replicas"`
	Ports    []Port   `json:"ports,omitempty"`
	Aliases  []string `json:"aliases,omitempty"`
}

type Port struct {
	Port int    `json:"port"`
	Name string `json:"name,omitempty"`
}

// DeepCopyObject is written by a generator elsewhere.
func (w *Website) DeepCopyObject() kruntime.Object { return copied(w) }

func copied[T any](in *T) *T {
	data, _ := json.Marshal(in)
	out := new(T)
	_ = json.Unmarshal(data, out)
	return out
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
