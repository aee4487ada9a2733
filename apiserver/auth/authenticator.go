package auth

import (
	"errors"
	"net/http"
	"slices"
)

// Groups that Kubernetes gives a meaning.
const (
	Masters         = "system:masters"         // may do everything
	Authenticated   = "system:authenticated"   // everyone with an identity
	Unauthenticated = "system:unauthenticated" // everyone else
)

// Authenticator finds out who makes a request. It returns false without an error where the request carries no
// credentials of its kind, and an error where it carries some that are wrong.
type Authenticator interface {
	AuthenticateRequest(r *http.Request) (*User, bool, error)
}

// Union asks each authenticator in turn; the first that knows the user wins, whatever others said. Every user gets
// the group system:authenticated. Where nobody knows the user, the errors of all are returned together.
func Union(authenticators ...Authenticator) Authenticator { return union(slices.Clone(authenticators)) }

type union []Authenticator

func (a union) AuthenticateRequest(r *http.Request) (*User, bool, error) {
	var errs []error
	for _, one := range a {
		user, ok, err := one.AuthenticateRequest(r)
		if ok {
			return authenticated(user), true, nil
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return nil, false, errors.Join(errs...)
}

// authenticated returns u as a member of system:authenticated. The authenticators of this package call it once for
// each user that they know, so that Union need not copy users for every request.
func authenticated(u *User) *User {
	if slices.Contains(u.Groups, Authenticated) || slices.Contains(u.Groups, Unauthenticated) {
		return u
	}
	member := *u
	member.Groups = append(slices.Clone(u.Groups), Authenticated)
	return &member
}
