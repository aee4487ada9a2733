package runtime

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Request names the object to reconcile.
type Request struct {
	types.NamespacedName
	// Cluster is the name under which the object's cluster has joined the manager; "" is the manager's own.
	Cluster string
}

// String is NAMESPACE/NAME, with the cluster before it if there is one.
func (r Request) String() string {
	if r.Cluster == "" {
		return r.NamespacedName.String()
	}
	return r.Cluster + ":" + r.NamespacedName.String()
}

// Result of a reconciliation that went well.
type Result struct {
	// RequeueAfter asks for another one after this long.
	RequeueAfter time.Duration
	// Requeue asks for another one as after an error.
	Requeue bool
}

// Reconciler brings the world to the state that an object asks for. It must be safe for concurrent use with
// different requests. ctx has a logger that names the request (logr.FromContext), its causes and its cluster's client.
type Reconciler interface {
	Reconcile(ctx context.Context, req Request) (Result, error)
}

// ReconcilerFunc is a Reconciler.
type ReconcilerFunc func(ctx context.Context, req Request) (Result, error)

// Reconcile calls f.
func (f ReconcilerFunc) Reconcile(ctx context.Context, req Request) (Result, error) {
	return f(ctx, req)
}

type terminalError struct{ error }

func (t terminalError) Unwrap() error { return t.error }

// TerminalError marks an error that trying again does not mend: it is logged and counted, and the request waits
// for the next change.
func TerminalError(err error) error {
	if err == nil {
		return nil
	}
	return terminalError{err}
}

func isTerminal(err error) bool {
	var t terminalError
	return errors.As(err, &t)
}
