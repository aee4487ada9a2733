package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// MaxConversionBytes is the largest ConversionReview that is read: servers send a whole list at once.
const MaxConversionBytes = 256 << 20

// Converter takes objects of one kind from version to version. It is called by many goroutines.
type Converter interface {
	// Convert returns obj, the JSON of an object, in another version; apiVersion and kind are part of it. Servers take
	// over spec, status, labels and annotations of it, and refuse another name, namespace or uid.
	Convert(ctx context.Context, obj []byte, from, to schema.GroupVersionKind) ([]byte, error)
}

// ConverterFunc is a Converter: it changes an object, whose apiVersion says already what it is to become.
type ConverterFunc func(ctx context.Context, obj *unstructured.Unstructured, from, to schema.GroupVersionKind) error

// Convert calls f with the object decoded.
func (f ConverterFunc) Convert(ctx context.Context, obj []byte, from, to schema.GroupVersionKind) ([]byte, error) {
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(obj); err != nil {
		return nil, err
	}
	u.SetGroupVersionKind(to)
	if err := f(ctx, &u, from, to); err != nil {
		return nil, err
	}
	return json.Marshal(u.Object)
}

// conversionReview is a ConversionReview whose objects are left as they are.
type conversionReview struct {
	metav1.TypeMeta
	Request *struct {
		UID               types.UID         `json:"uid"`
		DesiredAPIVersion string            `json:"desiredAPIVersion"`
		Objects           []json.RawMessage `json:"objects"`
	} `json:"request"`
}

const conversionGroup = "apiextensions.k8s.io"

// ConversionHandler serves conversions over HTTP: ConversionReviews of apiextensions.k8s.io/v1, and of v1beta1, which
// look the same. find returns the Converter of a kind, nil where there is none.
func ConversionHandler(find func(schema.GroupKind) Converter, log logr.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readReview(w, r, MaxConversionBytes)
		if err == nil {
			body, err = convert(logr.NewContext(r.Context(), log), find, body, log)
		}
		answer(w, log, body, err)
	})
}

// convert answers a ConversionReview.
func convert(ctx context.Context, find func(schema.GroupKind) Converter, body []byte, log logr.Logger) ([]byte, error) {
	var in conversionReview
	if err := utiljson.Unmarshal(body, &in); err != nil {
		return nil, badRequest("the body is no ConversionReview: %v", err)
	}
	known := in.APIVersion == conversionGroup+"/v1" || in.APIVersion == conversionGroup+"/v1beta1"
	if in.Kind != "ConversionReview" || !known {
		return nil, badRequest("expected a ConversionReview of %s/v1, got kind %q of %q", conversionGroup, in.Kind, in.APIVersion)
	}
	if in.Request == nil {
		return nil, badRequest("the ConversionReview has no request")
	}
	to, err := schema.ParseGroupVersion(in.Request.DesiredAPIVersion)
	if err == nil && to.Version == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, badRequest("desiredAPIVersion: %v", err)
	}
	result := metav1.Status{Status: metav1.StatusSuccess}
	converted := make([][]byte, len(in.Request.Objects))
	for i, obj := range in.Request.Objects {
		if converted[i], err = convertOne(ctx, find, obj, to); err != nil {
			log.Info("an object was not converted", "uid", in.Request.UID, "to", in.Request.DesiredAPIVersion, "reason", err.Error())
			converted, result = nil, metav1.Status{Status: metav1.StatusFailure, Message: err.Error()}
			break
		}
	}
	return encodeConversion(in.APIVersion, in.Request.UID, converted, &result)
}

func encodeConversion(apiVersion string, uid types.UID, objects [][]byte, result *metav1.Status) ([]byte, error) {
	status, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	id, err := json.Marshal(uid)
	if err != nil {
		return nil, err
	}
	size := 256 + len(status)
	for _, o := range objects {
		size += len(o) + 1
	}
	b := bytes.NewBuffer(make([]byte, 0, size))
	fmt.Fprintf(b, `{"kind":"ConversionReview","apiVersion":"%s","response":{"uid":%s,"convertedObjects":[`, apiVersion, id)
	for i, o := range objects {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(o)
	}
	fmt.Fprintf(b, `],"result":%s}}`, status)
	return b.Bytes(), nil
}

// about is what tells one object from another.
type about struct {
	metav1.TypeMeta
	Metadata struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
}

// convertOne converts an object. Errors name it, since a review may be about many.
func convertOne(ctx context.Context, find func(schema.GroupKind) Converter, obj []byte, to schema.GroupVersion) (out []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var is about
	if err := utiljson.Unmarshal(obj, &is); err != nil {
		return nil, fmt.Errorf("an object that is none: %w", err)
	}
	from := schema.FromAPIVersionAndKind(is.APIVersion, is.Kind)
	target := to.WithKind(from.Kind)
	fail := func(err error) error {
		return fmt.Errorf("%s %s: %w", from.Kind, types.NamespacedName{Namespace: is.Metadata.Namespace, Name: is.Metadata.Name}, err)
	}
	switch {
	case from == target:
		return obj, nil
	case from.Group != to.Group:
		return nil, fail(fmt.Errorf("it is of group %q, and no conversion leads to %q", from.Group, to.Group))
	}
	c := find(from.GroupKind())
	if c == nil {
		return nil, fail(errors.New("there is no converter of its kind"))
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // a panic's value
			panic(p)
		}
		logr.FromContextOrDiscard(ctx).Error(fmt.Errorf("panic: %v", p), "a converter panicked", "stack", string(debug.Stack()))
		out, err = nil, fail(fmt.Errorf("panic: %v [recovered]", p))
	}()
	if out, err = c.Convert(ctx, obj, from, target); err != nil {
		return nil, fail(err)
	}
	return out, nil
}
