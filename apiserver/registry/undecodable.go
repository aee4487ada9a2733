package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// undecodableError says that what is stored cannot be shown in the version asked for. It does not unwrap: whatever
// ended a conversion (a webhook's time was up) is not what ended the request.
type undecodableError struct {
	revision storage.Revision
	err      error
}

func (e *undecodableError) Error() string {
	return fmt.Sprintf("object not decodable revision=%d: %v", e.revision, e.err)
}

// corrupt is how Kubernetes' store tells of such an object.
func (e *undecodableError) corrupt(key string) string {
	return fmt.Sprintf("StorageError: corrupt object, Code: 7, Key: %s, ResourceVersion: 0, AdditionalErrorMsg: %v", key, e)
}

// showError is the error of a read of one object that could not be shown.
func (t *Target) showError(key string, err error) error {
	var u *undecodableError
	if errors.As(err, &u) {
		return apierrors.NewInternalError(errors.New(u.corrupt(strings.TrimPrefix(key, "/registry"))))
	}
	return t.storeError(err)
}

// maxUndecodable is how many such objects the error of a list names.
const maxUndecodable = 100

// undecodableList gathers them.
type undecodableList struct {
	causes []metav1.StatusCause
}

func (l *undecodableList) add(key string, err *undecodableError) {
	if !l.full() {
		l.causes = append(l.causes, metav1.StatusCause{
			Type: metav1.CauseTypeUnexpectedServerResponse, Field: key, Message: err.corrupt(key),
		})
	}
}

func (l *undecodableList) full() bool { return len(l.causes) >= maxUndecodable }

// status is the error of the list; nil where all went well.
func (l *undecodableList) status(d *resource.Definition) error {
	if len(l.causes) == 0 {
		return nil
	}
	message := fmt.Sprintf("failed to read one or more %s from the storage: %s", d.GroupResource(), l.causes[0].Message)
	if more := len(l.causes) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	causes := l.causes
	if l.full() {
		causes = append(causes, metav1.StatusCause{Type: metav1.CauseTypeTooMany, Message: "too many errors, the list is truncated"})
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Reason: metav1.StatusReasonStoreReadError,
		Message: message,
		Details: &metav1.StatusDetails{Name: "list", Group: d.Group, Kind: d.Names.Plural, Causes: causes},
	}}
}

// patchMetadata applies a patch to the metadata of an object that cannot be converted into the target's version, on what
// is stored and in its version: garbage collection and finalizers must not have to wait for a webhook. failed is the
// answer where the patch is about more than that. (kube-apiserver always answers with it.)
func (r *Registry) patchMetadata(ctx context.Context, t Target, o WriteOptions, change func(resource.Object) (resource.Object, error), failed error) (*Result, error) {
	stored, err := r.storedTarget(ctx, t)
	if err != nil {
		return nil, failed
	}
	res, err := r.Modify(ctx, stored, o, func(current resource.Object) (resource.Object, error) {
		head, err := change(resource.Object{
			"apiVersion": t.Def.APIVersion(t.Version.Name), "kind": t.Def.Names.Kind,
			"metadata": resource.DeepCopy(metadata(current)),
		})
		if err != nil || resource.Equal(head["metadata"], current["metadata"]) {
			return nil, failed
		}
		for name := range head {
			if name != "apiVersion" && name != "kind" && name != "metadata" {
				return nil, failed
			}
		}
		current["metadata"] = head["metadata"]
		return current, nil
	})
	if err != nil {
		return nil, err
	}
	res.Data = resource.MetadataAlone(res.Data, t.Def.APIVersion(t.Version.Name), t.Def.Names.Kind)
	return res, nil
}

// storedTarget is t in the version in which its object is stored, to be left in it.
func (r *Registry) storedTarget(ctx context.Context, t Target) (Target, error) {
	got, err := r.store.Get(ctx, t.key(t.Name), storage.GetOptions{})
	if err != nil {
		return t, err
	}
	t.AsStored = true
	if got.KV != nil {
		_, version, _ := strings.Cut(string(resource.RawAPIVersion(got.KV.Value)), "/")
		if v := t.Def.Version(version); v != nil {
			t.Version = v
		}
	}
	return t, nil
}
