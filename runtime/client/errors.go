package client

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Error is a request that failed. The functions of apimachinery's api/errors, such as IsNotFound, look into it.
type Error struct {
	Method, Path string
	// Err is an *apierrors.StatusError where the server answered, and what became of the connection otherwise.
	Err error
}

// Error says which request failed, why, and what may be done about it.
func (e *Error) Error() string {
	text := e.Method + " " + e.Path + ": " + e.Err.Error()
	if advice := advice(e.Err); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

// Unwrap is for errors.As and errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// advice is what to do about an error, "" where its text says so, or the server knows best.
func advice(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case apierrors.IsUnauthorized(err):
		return "the server does not know these credentials: see BearerToken, CertData or the kubeconfig's user"
	case apierrors.IsConflict(err):
		return "read the object again and repeat the change"
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return "list again, without resourceVersion or continue"
	case errors.As(err, &authority):
		return "see CAData and CAFile"
	case errors.As(err, &name):
		return "see ServerName"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: is the server running, and Host right?"
	case errors.Is(err, context.DeadlineExceeded):
		return "a write may have happened all the same"
	}
	return ""
}

// statusIn is the server's answer in err, nil where there is none.
func statusIn(err error) *apierrors.StatusError {
	var status *apierrors.StatusError
	errors.As(err, &status)
	return status
}

// wrongPlace reports whether err says that the path is not served, rather than that an object is missing.
func wrongPlace(err error) bool {
	status := statusIn(err)
	if status == nil || status.ErrStatus.Code != http.StatusNotFound {
		return false
	}
	d := status.ErrStatus.Details
	return d == nil || d.Name == ""
}

// broken says that a connection ended, as they do when a server is restarted or a proxy tires: the same request may
// succeed on another one.
func broken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err)
}

// statusOf makes an error of an answer that is none of success, and closes it.
func statusOf(resp *http.Response, r *request) *apierrors.StatusError {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 3<<20))
	closeBody(resp)
	var status metav1.Status
	if decodeStatus(data, resp.Header.Get("Content-Type"), &status) == nil && status.Status != "" && status.Status != metav1.StatusSuccess {
		if status.Code == 0 {
			status.Code = int32(resp.StatusCode) //nolint:gosec // three digits
		}
		return &apierrors.StatusError{ErrStatus: status}
	}
	after, _ := retryAfter(resp)
	return apierrors.NewGenericServerResponse(resp.StatusCode, r.method, schema.GroupResource{}, "", string(data[:min(len(data), 2048)]), after, true)
}

func decodeStatus(data []byte, contentType string, into *metav1.Status) error {
	if isProtobuf(contentType) {
		return decodeProtobuf(data, into)
	}
	err := utiljson.Unmarshal(data, into)
	if err == nil && into.Kind != "Status" {
		return errors.New("no Status")
	}
	return err
}

// IgnoreNotFound is err, unless it says that an object does not exist.
func IgnoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// IgnoreAlreadyExists is err, unless it says that an object exists already.
func IgnoreAlreadyExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
