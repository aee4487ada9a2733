package certs

import (
	"context"
	"encoding/base64"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

var secretKind = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}

// secret is the Secret as it was read, or as it is to be made.
type secret struct {
	obj  *unstructured.Unstructured
	data map[string][]byte
}

// readSecret returns a Secret without resourceVersion where there is none.
func readSecret(ctx context.Context, c client.Client, key client.ObjectKey) (*secret, error) {
	s := &secret{obj: &unstructured.Unstructured{}, data: map[string][]byte{}}
	s.obj.SetGroupVersionKind(secretKind)
	err := c.Get(ctx, key, s.obj)
	if apierrors.IsNotFound(err) {
		s.obj = &unstructured.Unstructured{}
		s.obj.SetGroupVersionKind(secretKind)
		s.obj.SetNamespace(key.Namespace)
		s.obj.SetName(key.Name)
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Secret %s: %w", key, err) //nolint:staticcheck // a kind's name
	}
	values, _, _ := unstructured.NestedStringMap(s.obj.Object, "data")
	for name, text := range values {
		if s.data[name], err = base64.StdEncoding.DecodeString(text); err != nil {
			delete(s.data, name) // the server would not have taken it
		}
	}
	return s, nil
}

// exists says whether the server has it.
func (s *secret) exists() bool { return s.obj.GetResourceVersion() != "" }

// write replaces the content, but for what others keep there. Error: AlreadyExists or Conflict where another was first.
func (s *secret) write(ctx context.Context, c client.Client, data map[string][]byte) error {
	values := map[string]any{}
	for name, value := range s.data {
		values[name] = base64.StdEncoding.EncodeToString(value)
	}
	for _, name := range []string{bundleKey, signerCertKey, signerKeyKey, nextCertKey, nextKeyKey} {
		if value, ok := data[name]; ok {
			values[name] = base64.StdEncoding.EncodeToString(value)
		} else {
			delete(values, name)
		}
	}
	s.obj.Object["data"] = values
	write := c.Update
	if !s.exists() {
		write = c.Create
	}
	if err := write(ctx, s.obj); err != nil {
		return fmt.Errorf("Secret %s: %w", client.KeyOf(s.obj), err) //nolint:staticcheck // a kind's name
	}
	return nil
}
