package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/webhook"
)

// labels wants an owner on every ConfigMap, and a tier.
type labels struct{}

func (labels) ValidateCreate(_ context.Context, obj *corev1.ConfigMap) (webhook.Warnings, error) {
	if obj.Labels["owner"] == "" {
		return nil, errors.New("a ConfigMap needs an owner")
	}
	return nil, nil
}

func (l labels) ValidateUpdate(ctx context.Context, _, newObj *corev1.ConfigMap) (webhook.Warnings, error) {
	return l.ValidateCreate(ctx, newObj)
}

func (labels) ValidateDelete(context.Context, *corev1.ConfigMap) (webhook.Warnings, error) {
	return nil, nil
}

func (labels) Default(_ context.Context, obj *corev1.ConfigMap) error {
	if obj.Labels["tier"] == "" {
		obj.Labels["tier"] = "web"
	}
	return nil
}

// what an API server sends and is answered.
func send(h http.Handler, path, review string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(review))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Body)
}

func Example() {
	scheme := kruntime.NewScheme()
	_ = corev1.AddToScheme(scheme)
	server := webhook.NewServer(webhook.Options{Scheme: scheme}) // a program has Certificates, and runs it
	err := webhook.NewWebhookManagedBy(server, &corev1.ConfigMap{}).WithValidator(labels{}).WithDefaulter(labels{}).Complete()
	fmt.Println(err)

	review := `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1","operation":"CREATE","object":{"metadata":{"labels":{}}}}}`
	send(server, "/validate--v1-configmap", review)
	send(server, "/mutate--v1-configmap", strings.Replace(review, `"labels":{}`, `"labels":{"owner":"me"}`, 1))
	// Output:
	// <nil>
	// {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"1","allowed":false,"status":{"metadata":{},"message":"a ConfigMap needs an owner","reason":"Forbidden","code":403}}}
	// {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"1","allowed":true,"status":{"metadata":{},"code":200},"patch":"W3sib3AiOiJhZGQiLCJwYXRoIjoiL21ldGFkYXRhL2xhYmVscy90aWVyIiwidmFsdWUiOiJ3ZWIifV0=","patchType":"JSONPatch"}}
}

func ExampleHandlerFunc() {
	frozen := webhook.HandlerFunc(func(_ context.Context, req webhook.Request) webhook.Response {
		if req.Namespace == "frozen" {
			return webhook.Denied("nothing changes here")
		}
		return webhook.Allowed("")
	})
	send(webhook.AdmissionHandler(frozen, logr.Discard()), "/",
		`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"1","namespace":"frozen"}}`)
	// Output: {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"1","allowed":false,"status":{"metadata":{},"message":"nothing changes here","reason":"Forbidden","code":403}}}
}

func ExampleConverterFunc() {
	server := webhook.NewServer(webhook.Options{})
	_ = server.HandleConversion(schema.GroupKind{Group: "e.com", Kind: "Website"}, webhook.ConverterFunc(
		func(_ context.Context, obj *unstructured.Unstructured, from, to schema.GroupVersionKind) error {
			names := map[string]string{"v1": "host", "v2": "hostname"}
			host, _, err := unstructured.NestedString(obj.Object, "spec", names[from.Version])
			obj.Object["spec"] = map[string]any{names[to.Version]: host}
			return err
		}))
	send(server, webhook.ConvertPath, `{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"1","desiredAPIVersion":"e.com/v2",
		"objects":[{"apiVersion":"e.com/v1","kind":"Website","spec":{"host":"a.com"}}]}}`)
	// Output: {"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","response":{"uid":"1","convertedObjects":[{"apiVersion":"e.com/v2","kind":"Website","spec":{"hostname":"a.com"}}],"result":{"metadata":{},"status":"Success"}}}
}

// Website, WebsiteV2 and WebsiteV3 are three versions of a kind: the second is the Hub, the others are Convertible.
func ExampleHubs() {
	converter, err := webhook.Hubs(scheme(), schema.GroupKind{Group: "e.com", Kind: "Website"})
	fmt.Println(err)
	out, err := converter.Convert(context.Background(), []byte(`{"spec":{"host":"a.b"}}`), group.WithKind("Website"),
		schema.GroupVersionKind{Group: "e.com", Version: "v3", Kind: "Website"})
	fmt.Println(string(out), err)
	// Output:
	// <nil>
	// {"kind":"Website","apiVersion":"e.com/v3","metadata":{},"spec":{"labels":["a","b"]}} <nil>
}
