package certs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/internal/certify"
	"github.com/keelson-project/keelson/runtime/client"
)

// Target is an object whose webhooks are to trust the certificates. One that is not there, or whose kind the server does
// not have, is waited for.
type Target struct {
	kind schema.GroupVersionKind
	name string
}

// CustomResourceDefinition is the conversion webhook of a CRD, where its strategy is Webhook.
func CustomResourceDefinition(name string) Target {
	return Target{schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}, name}
}

// ValidatingWebhookConfiguration is all webhooks of one.
func ValidatingWebhookConfiguration(name string) Target {
	return Target{schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingWebhookConfiguration"}, name}
}

// MutatingWebhookConfiguration is all webhooks of one.
func MutatingWebhookConfiguration(name string) Target {
	return Target{schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "MutatingWebhookConfiguration"}, name}
}

// String is KIND NAME.
func (t Target) String() string { return t.kind.Kind + " " + t.name }

// found is a Target as it was read.
type found struct {
	Target
	obj    *unstructured.Unstructured
	places []place
}

// place is a caBundle.
type place struct {
	path    string // of the object that it is in, as JSON patches have it
	current []byte // nil where there is none
}

// find reads a Target; nil where it is not there.
func (t Target) find(ctx context.Context, c client.Client) (*found, error) {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(t.kind)
	err := c.Get(ctx, client.ObjectKey{Name: t.name}, obj)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	f := &found{Target: t, obj: obj}
	if strategy, _, _ := unstructured.NestedString(obj.Object, "spec", "conversion", "strategy"); strategy == "Webhook" {
		config, _, _ := unstructured.NestedMap(obj.Object, "spec", "conversion", "webhook", "clientConfig")
		f.add("/spec/conversion/webhook/clientConfig", config)
	}
	hooks, _, _ := unstructured.NestedSlice(obj.Object, "webhooks")
	for i, hook := range hooks {
		if hook, ok := hook.(map[string]any); ok {
			config, _ := hook["clientConfig"].(map[string]any)
			f.add(fmt.Sprintf("/webhooks/%d/clientConfig", i), config)
		}
	}
	return f, nil
}

func (f *found) add(path string, config map[string]any) {
	if config == nil {
		return
	}
	text, _ := config["caBundle"].(string)
	current, _ := base64.StdEncoding.DecodeString(text)
	f.places = append(f.places, place{path, current})
}

// trusts says whether it trusts what an authority signs.
func (f *found) trusts(a *certify.Authority) bool {
	for _, p := range f.places {
		if !bytes.Contains(p.current, certify.EncodeCertificates(a.Cert)) {
			return false
		}
	}
	return true
}

// inject has it trust a bundle, and returns whether that was new. Error: Conflict or Invalid where it has changed since
// it was found.
func (f *found) inject(ctx context.Context, c client.Client, bundle []byte) (bool, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value string `json:"value"`
	}
	patch := []operation{{"test", "/metadata/resourceVersion", f.obj.GetResourceVersion()}}
	for _, p := range f.places {
		if !bytes.Equal(p.current, bundle) {
			patch = append(patch, operation{"add", p.path + "/caBundle", base64.StdEncoding.EncodeToString(bundle)})
		}
	}
	if len(patch) == 1 {
		return false, nil
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return false, err
	}
	if err := c.Patch(ctx, f.obj, client.RawPatch(types.JSONPatchType, data)); err != nil {
		return false, fmt.Errorf("%s: %w", f, err)
	}
	return true, nil
}
