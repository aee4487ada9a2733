package webhook

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// Builder puts the webhooks of a kind on a Server.
type Builder[T client.Object] struct {
	server    *Server
	obj       T
	validator Validator[T]
	defaulter Defaulter[T]
	converter Converter
}

// NewWebhookManagedBy begins the webhooks of obj's kind, which is that of the server's scheme, or of the object where it
// is unstructured.
func NewWebhookManagedBy[T client.Object](s *Server, obj T) *Builder[T] {
	return &Builder[T]{server: s, obj: obj}
}

// WithValidator serves v at the kind's ValidatePath.
func (b *Builder[T]) WithValidator(v Validator[T]) *Builder[T] {
	b.validator = v
	return b
}

// WithDefaulter serves d at the kind's MutatePath.
func (b *Builder[T]) WithDefaulter(d Defaulter[T]) *Builder[T] {
	b.defaulter = d
	return b
}

// WithConverter serves c at ConvertPath, for all versions of the kind. Default: Hubs, where the scheme has them.
func (b *Builder[T]) WithConverter(c Converter) *Builder[T] {
	b.converter = c
	return b
}

// Complete puts them on the server, which may run already. Errors: a kind that the scheme does not know, those of Hubs,
// nothing to serve, something that is served already.
func (b *Builder[T]) Complete() error {
	gvk, err := b.kind()
	if err != nil {
		return err
	}
	scheme := b.server.opts.Scheme
	if b.converter == nil && scheme != nil && b.server.converter(gvk.GroupKind()) == nil {
		if b.converter, err = Hubs(scheme, gvk.GroupKind()); err != nil {
			return err
		}
	}
	served := b.server.converter(gvk.GroupKind()) != nil // by another version's Builder
	if b.validator != nil {
		served = true
		err = errors.Join(err, b.server.Handle(ValidatePath(gvk), Validating(b.validator)))
	}
	if b.defaulter != nil {
		served = true
		err = errors.Join(err, b.server.Handle(MutatePath(gvk), Defaulting(b.defaulter)))
	}
	if b.converter != nil {
		served = true
		err = errors.Join(err, b.server.HandleConversion(gvk.GroupKind(), b.converter))
	}
	if !served {
		return fmt.Errorf("webhook: nothing to serve for %s", gvk.Kind)
	}
	return err
}

func (b *Builder[T]) kind() (schema.GroupVersionKind, error) {
	if u, ok := kruntime.Object(b.obj).(*unstructured.Unstructured); ok {
		if u.GetKind() == "" || u.GetAPIVersion() == "" {
			return schema.GroupVersionKind{}, errors.New("webhook: an unstructured object without apiVersion or kind")
		}
		return u.GroupVersionKind(), nil
	}
	if b.server.opts.Scheme == nil {
		return schema.GroupVersionKind{}, errors.New("webhook: Options.Scheme is needed for typed webhooks")
	}
	kinds, _, err := b.server.opts.Scheme.ObjectKinds(b.obj)
	if err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("webhook: %w", err)
	}
	return kinds[0], nil
}
