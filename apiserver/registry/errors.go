package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// ErrModified is the cause of every Conflict that a lost race for an object ends in.
var ErrModified = errors.New("the object has been modified; please apply your changes to the latest version and try again")

func (t *Target) notFound(name string) error {
	return apierrors.NewNotFound(t.Def.GroupResource(), name)
}

// alreadyExists refuses to create what current, which may be nil, stands in the way of.
func (t *Target) alreadyExists(name string, current *storage.KeyValue) error {
	err := apierrors.NewAlreadyExists(t.Def.GroupResource(), name)
	if current != nil && resource.Project(current.Value, nil).Deleting {
		err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
	}
	return err
}

func (t *Target) conflict(name string, err error) error {
	return apierrors.NewConflict(t.Def.GroupResource(), name, err)
}

// plainError is an error that Kubernetes answers with 500 and an empty reason.
func plainError(message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Reason: metav1.StatusReasonUnknown, Message: message,
	}}
}

// errTerminating refuses objects of a kind that is being deleted with its CustomResourceDefinition.
var errTerminating = errors.New("create not allowed while custom resource definition is terminating")

// storeError names what went wrong below in Kubernetes' terms. A *storage.ConflictError is not for here: each
// caller knows better what it means.
func (t *Target) storeError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return apierrors.NewTimeoutError("the request was not completed within its time", 0)
	case errors.Is(err, storage.ErrTooLarge):
		return apierrors.NewRequestEntityTooLargeError(err.Error())
	case errors.Is(err, storage.ErrNoSpace):
		return plainError(err.Error())
	case errors.Is(err, storage.ErrCompacted), errors.Is(err, watchcache.ErrExpired):
		return apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.")
	case errors.Is(err, watchcache.ErrTimeout):
		return apierrors.NewServerTimeout(t.Def.GroupResource(), "read", 1)
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrClosed), errors.Is(err, watchcache.ErrClosed):
		return apierrors.NewServiceUnavailable(err.Error())
	}
	if _, ok := err.(apierrors.APIStatus); ok {
		return err
	}
	return plainError(err.Error())
}

// tooLargeRevision is the answer to a read that asks for a state that the server has not reached.
func tooLargeRevision(asked, current storage.Revision) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", asked, current), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	return err
}

// expired is the answer to a watch or an exact read from history that is gone.
func expired(asked, oldest storage.Revision) error {
	return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", asked, oldest))
}

// ParseRevision reads a resourceVersion parameter; "" and "0" are zero.
func ParseRevision(s string) (storage.Revision, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("Invalid value: %q: %w", s, err) //nolint:staticcheck // Kubernetes' text
	}
	return storage.Revision(n), nil
}
