package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Attributes are what an Authorizer decides about.
type Attributes struct {
	User *User
	Verb string // get, list, watch, create, update, patch, delete, deletecollection; of other paths: the method in lower case

	// ResourceRequest says which of the following hold: the resource's, or Path.
	ResourceRequest bool

	Namespace, APIGroup, APIVersion, Resource, Subresource, Name string // Namespace is "" for all of them, and at the cluster scope

	Path string
}

// Decision of an Authorizer.
type Decision uint8

// The decisions. NoOpinion lets the next Authorizer decide, and is a refusal where there is none.
const (
	NoOpinion Decision = iota
	Allow
	Deny
)

// Authorizer decides whether a request may be made. The reason of a refusal is shown to the user.
type Authorizer interface {
	Authorize(ctx context.Context, a *Attributes) (d Decision, reason string, err error)
}

// MastersOnly allows everything to members of system:masters, and has no opinion of anybody else.
type MastersOnly struct{}

// Authorize implements Authorizer.
func (MastersOnly) Authorize(_ context.Context, a *Attributes) (Decision, string, error) {
	if a.User != nil && slices.Contains(a.User.Groups, Masters) {
		return Allow, "", nil
	}
	return NoOpinion, "", nil
}

// noHTML keeps what a user typed from being markup in somebody's browser, as Kubernetes does.
var noHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Forbidden is the answer (403) to a request that was not allowed, in Kubernetes' words:
//
//	pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"
func Forbidden(a *Attributes, reason string) error {
	text := noHTML.Replace(refusal(a))
	if reason != "" {
		text += ": " + reason
	}
	var about schema.GroupResource
	if a.ResourceRequest {
		about = schema.GroupResource{Group: a.APIGroup, Resource: a.Resource}
	}
	return apierrors.NewForbidden(about, a.Name, errors.New(text))
}

func refusal(a *Attributes) string {
	name := ""
	if a.User != nil {
		name = a.User.Name
	}
	if !a.ResourceRequest {
		return fmt.Sprintf("User %q cannot %s path %q", name, a.Verb, a.Path)
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	text := fmt.Sprintf("User %q cannot %s resource %q in API group %q", name, a.Verb, resource, a.APIGroup)
	if a.Namespace == "" {
		return text + " at the cluster scope"
	}
	return text + fmt.Sprintf(" in the namespace %q", a.Namespace)
}
