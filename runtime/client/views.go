package client

import (
	"context"
	"fmt"
)

// DryRun is c, but its writes store nothing: the server answers as if they had.
func DryRun(c Client) Client {
	return Intercept(c, func(ctx context.Context, call *Call, next func(context.Context) error) error {
		switch call.Verb {
		case VerbDelete, VerbDeleteCollection:
			call.DeleteOptions = append(call.DeleteOptions, DryRunAll)
		case VerbCreate, VerbUpdate, VerbPatch, VerbApply:
			call.WriteOptions = append(call.WriteOptions, DryRunAll)
		}
		return next(ctx)
	})
}

// WithFieldOwner is c, but writes that name no FieldOwner have this one.
func WithFieldOwner(c Client, owner string) Client { return withDefault(c, FieldOwner(owner)) }

// WithFieldValidation is c, but writes that ask for no FieldValidation have this one.
func WithFieldValidation(c Client, v FieldValidation) Client { return withDefault(c, v) }

// withDefault puts opt before the options of each write: of two, the later one counts.
func withDefault(c Client, opt WriteOption) Client {
	return Intercept(c, func(ctx context.Context, call *Call, next func(context.Context) error) error {
		if call.Verb.Writes() {
			call.WriteOptions = append([]WriteOption{opt}, call.WriteOptions...)
		}
		return next(ctx)
	})
}

// Namespaced is c in one namespace: objects that name none are taken for that one's, and lists are of it. An object of
// another namespace is an error, and nothing is sent. Kinds without namespaces are as they are in c.
func Namespaced(c Client, namespace string) Client {
	return Intercept(c, func(ctx context.Context, call *Call, next func(context.Context) error) error {
		m, err := c.MappingFor(ctx, call.Kind)
		if err != nil || !m.Namespaced {
			return errOr(err, func() error { return next(ctx) })
		}
		if call.Key.Namespace != "" && call.Key.Namespace != namespace {
			return fmt.Errorf("client: %s: this client is one of namespace %q", call, namespace)
		}
		switch call.Verb {
		case VerbList, VerbWatch, VerbDeleteCollection:
			call.ListOptions = append(call.ListOptions, InNamespace(namespace))
		default:
			call.Key.Namespace = namespace
			if obj, ok := call.Object.(Object); ok && (call.Verb != VerbGet || call.Subresource != "") {
				obj.SetNamespace(namespace)
			}
		}
		return next(ctx)
	})
}

func errOr(err error, f func() error) error {
	if err != nil {
		return err
	}
	return f()
}
