// Package admission is where policy meets writes: plugins see every create, update, delete and connect after
// authorization and before it is stored. Mutating plugins may change the object, validating ones only refuse.
package admission

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// Operation is what a request does, in the words of admission.k8s.io.
type Operation string

// The operations.
const (
	Create  Operation = "CREATE"
	Update  Operation = "UPDATE"
	Delete  Operation = "DELETE"
	Connect Operation = "CONNECT"
)

// Attributes describe one write. Plugins must not keep them.
type Attributes struct {
	Operation   Operation
	Kind        schema.GroupVersionKind
	Resource    schema.GroupVersionResource
	Subresource string
	Namespace   string          // "" for cluster-scoped kinds
	Name        string          // "" in a create whose name is still to be generated
	Object      resource.Object // as it would be stored; nil in a delete
	OldObject   resource.Object // as it is stored (in a delete also in that version); nil in a create
	DryRun      bool
	User        *auth.User // nil: the server itself
}

// Interface is one plugin, or a chain of them. Errors are apierrors.StatusErrors, by Kubernetes' custom Forbidden.
type Interface interface {
	// Admit may change a.Object in place.
	Admit(ctx context.Context, a *Attributes) error
	// Validate sees the object in its last form and changes nothing.
	Validate(ctx context.Context, a *Attributes) error
}
