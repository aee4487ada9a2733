package endpoints

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StatusOf returns what err says to a client: its own Status where it has one, otherwise 500 with the text.
func StatusOf(err error) *metav1.Status {
	var api apierrors.APIStatus
	if errors.As(err, &api) {
		s := api.Status()
		s.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		if s.Status == "" {
			s.Status = metav1.StatusFailure
		}
		if s.Code == 0 {
			s.Code = http.StatusInternalServerError
		}
		return &s
	}
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure,
		Code:     http.StatusInternalServerError,
		Reason:   metav1.StatusReasonUnknown,
		Message:  err.Error(),
	}
}

// WriteError answers with err's Status. It is the one place where errors become bytes.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	s := StatusOf(err)
	if s.Details != nil && s.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(s.Details.RetryAfterSeconds)))
	}
	out, err := negotiate(r, false)
	switch {
	case err == nil:
		body, _ := json.Marshal(s)
		writeObject(w, r, out, int(s.Code), body)
	case accepts(r, mediaProtobuf):
		writeBytes(w, r, mediaProtobuf, int(s.Code), protobufStatus(s), "")
	default: // whoever accepts none of it is told all the same
		body, _ := json.MarshalIndent(s, "", "  ")
		writeBytes(w, r, mediaJSON, int(s.Code), body, "")
	}
}

func unsupportedMediaType(accepted string) *apierrors.StatusError {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format - accepted media types include: " + accepted,
	}}
}
