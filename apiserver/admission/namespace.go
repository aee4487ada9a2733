package admission

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Namespaces is what NamespaceLifecycle needs to know.
type Namespaces interface {
	// GetNamespace says whether a namespace exists and whether it is being deleted. Its answer is as fresh as
	// the last acknowledged write: a namespace may be used as soon as its creation is answered.
	GetNamespace(ctx context.Context, name string) (exists, terminating bool, err error)
}

// NamespaceLifecycle is Kubernetes' plugin of that name: nothing is created in a namespace that does not exist or
// is being deleted, and the namespaces that every cluster needs stay.
type NamespaceLifecycle struct{ namespaces Namespaces }

// NewNamespaceLifecycle returns the plugin.
func NewNamespaceLifecycle(n Namespaces) *NamespaceLifecycle {
	return &NamespaceLifecycle{namespaces: n}
}

// namespaceResource names namespaces in errors.
var namespaceResource = schema.GroupResource{Resource: "namespaces"}

// Admit implements Interface. It decides before mutating plugins after it do any work for nothing.
func (l *NamespaceLifecycle) Admit(ctx context.Context, a *Attributes) error {
	if a.Kind.Group == "" && a.Kind.Kind == "Namespace" {
		if a.Operation == Delete && a.Subresource == "" && immortal(a.Name) {
			return apierrors.NewForbidden(namespaceResource, a.Name, errors.New("this namespace may not be deleted"))
		}
		return nil
	}
	if a.Namespace == "" || a.Operation == Delete || a.Operation == Update || isAccessReview(a) {
		return nil
	}
	exists, terminating, err := l.namespaces.GetNamespace(ctx, a.Namespace)
	switch {
	case err != nil:
		return asStatus(err)
	case !exists:
		return apierrors.NewNotFound(namespaceResource, a.Namespace)
	case terminating && a.Operation == Create:
		return beingTerminated(a)
	}
	return nil
}

// Validate implements Interface: Admit has said it all.
func (*NamespaceLifecycle) Validate(context.Context, *Attributes) error { return nil }

// immortal says which namespaces a cluster cannot do without.
func immortal(name string) bool {
	return name == metav1.NamespaceDefault || name == metav1.NamespaceSystem || name == metav1.NamespacePublic
}

// isAccessReview: a question whether something is allowed must not tell which namespaces exist.
func isAccessReview(a *Attributes) bool {
	return a.Resource.Group == "authorization.k8s.io" && a.Resource.Resource == "localsubjectaccessreviews"
}

func beingTerminated(a *Attributes) error {
	err := Forbidden(a, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", a.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: fmt.Sprintf("namespace %s is being terminated", a.Namespace),
		Field: "metadata.namespace",
	})
	return err
}

// asStatus keeps an error that has a Status of its own (the store is away: 503) and makes a 500 of others.
func asStatus(err error) error {
	var api apierrors.APIStatus
	if errors.As(err, &api) {
		return err
	}
	return apierrors.NewInternalError(err)
}

// Forbidden is the error by which a plugin refuses a (403), with the object's name as Kubernetes' plugins give it:
// that of the request, else what it will be generated from.
func Forbidden(a *Attributes, why error) *apierrors.StatusError {
	name := a.Name
	if name == "" {
		name = "Unknown"
		meta, _ := a.Object["metadata"].(map[string]any)
		for _, field := range []string{"name", "generateName"} {
			if s, _ := meta[field].(string); s != "" {
				name = s
				break
			}
		}
	}
	return apierrors.NewForbidden(a.Resource.GroupResource(), name, why)
}
