package conversion

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// review is a ConversionReview on its way.
type review struct {
	version    string // of ConversionReview
	uid        types.UID
	apiVersion string // to convert to
	objects    []resource.Object
}

var reviewVersions = [...]string{"v1", "v1beta1"}

// reviewVersion is the first of accepted that is known, "" where none is.
func reviewVersion(accepted []string) string {
	for _, v := range accepted {
		if slices.Contains(reviewVersions[:], v) {
			return v
		}
	}
	return ""
}

// encode writes the request as kube-apiserver does, with an empty response, and objects as they are stored: without
// resourceVersion.
func (r *review) encode() ([]byte, error) {
	b := fmt.Appendf(make([]byte, 0, 1024*(len(r.objects)+1)),
		`{"kind":"ConversionReview","apiVersion":"%s/%s","request":{"uid":"%s","desiredAPIVersion":"%s","objects":[`,
		apiextensionsv1.GroupName, r.version, r.uid, r.apiVersion)
	var err error
	for i, obj := range r.objects {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = resource.AppendValue(b, withoutRevision(obj)); err != nil {
			return nil, err
		}
	}
	return append(b, `]},"response":{"uid":"","convertedObjects":null,"result":{"metadata":{}}}}`...), nil
}

// withoutRevision is obj without metadata.resourceVersion; obj is left as it is.
func withoutRevision(obj resource.Object) resource.Object {
	meta, _ := obj["metadata"].(map[string]any)
	if _, has := meta["resourceVersion"]; !has {
		return obj
	}
	out, outMeta := make(resource.Object, len(obj)), make(map[string]any, len(meta))
	for k, v := range obj {
		out[k] = v
	}
	for k, v := range meta {
		if k != "resourceVersion" {
			outMeta[k] = v
		}
	}
	out["metadata"] = outMeta
	return out
}

// reviewAnswer is what is read of a ConversionReview that came back.
type reviewAnswer struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Response   *reviewResponse `json:"response"`
}

type reviewResponse struct {
	UID              types.UID         `json:"uid"`
	ConvertedObjects []json.RawMessage `json:"convertedObjects"`
	Result           metav1.Status     `json:"result"`
}

// decode reads the answer and returns the raw converted objects.
func (r *review) decode(body []byte) ([][]byte, error) {
	if text := bytes.TrimSpace(body); len(text) == 0 || text[0] != '{' { // Kubernetes' decoder takes YAML as well
		if converted, err := yaml.YAMLToJSON(body); err == nil {
			body = converted
		}
	}
	var kind struct {
		APIVersion string `json:"apiVersion,omitempty"`
		Kind       string `json:"kind,omitempty"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &kind); err != nil {
		return nil, fmt.Errorf("couldn't get version/kind; json parse error: %w", err)
	}
	var answer reviewAnswer
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &answer); err != nil {
		return nil, err
	}
	if err := r.checkKind(&answer); err != nil {
		return nil, err
	}
	response := answer.Response
	switch {
	case response == nil:
		return nil, errors.New("no response provided")
	case r.version == "v1" && response.UID != r.uid: // v1beta1 never demanded that
		return nil, fmt.Errorf("expected response.uid=%q, got %q", r.uid, response.UID)
	case response.Result.Status == metav1.StatusSuccess:
	case response.Result.Message != "":
		return nil, errors.New(response.Result.Message)
	default:
		return nil, fmt.Errorf("response.result.status was '%s', not 'Success'", response.Result.Status)
	}
	out := make([][]byte, len(response.ConvertedObjects))
	for i, raw := range response.ConvertedObjects {
		out[i] = raw
	}
	return out, nil
}

// checkKind says whether the answer is a ConversionReview of the version that was sent. The texts are those of the
// decoder that kube-apiserver uses.
func (r *review) checkKind(a *reviewAnswer) error {
	want := kschema.GroupVersionKind{Group: apiextensionsv1.GroupName, Version: r.version, Kind: "ConversionReview"}
	got := kschema.FromAPIVersionAndKind(a.APIVersion, a.Kind)
	switch {
	case got == want:
		return nil
	case a.APIVersion == "" || a.Kind == "":
		if r.version == "v1beta1" {
			return nil
		}
		return fmt.Errorf("expected webhook response of %v, got %v", want.String(), got.String())
	case got.Group == want.Group && got.Kind == want.Kind && slices.Contains(reviewVersions[:], got.Version):
		return fmt.Errorf("converting (%s.ConversionReview) to (%s.ConversionReview): unknown conversion", got.Version, r.version)
	}
	return fmt.Errorf("no kind %q is registered for version %q in scheme \"pkg/runtime/scheme.go:111\"", got.Kind, a.APIVersion)
}
