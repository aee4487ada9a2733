package conversion_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/conversion"
)

// A webhook that changes apiVersion and nothing else, and a Converter that asks it.
func ExampleWebhooks() {
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review apiextensionsv1.ConversionReview
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.Response = &apiextensionsv1.ConversionResponse{UID: review.Request.UID, Result: metav1.Status{Status: metav1.StatusSuccess}}
		for _, o := range review.Request.Objects {
			obj, _ := resource.Decode(o.Raw)
			obj["apiVersion"] = review.Request.DesiredAPIVersion
			raw, _ := resource.Encode(obj)
			review.Response.ConvertedObjects = append(review.Response.ConvertedObjects, kruntime.RawExtension{Raw: raw})
		}
		_ = json.NewEncoder(w).Encode(review)
	}))
	defer hook.Close()

	webhooks := conversion.NewWebhooks(conversion.Options{})
	defer webhooks.Close()
	converter := webhooks.Converter(conversion.WebhookConfig{
		URL:            hook.URL + "/convert",
		CABundle:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}),
		ReviewVersions: []string{"v1"},
	})
	obj := resource.Object{"apiVersion": "example.com/v1", "kind": "Website", "metadata": map[string]any{"name": "a"}}
	got := converter.Convert(context.Background(), []resource.Object{obj}, "example.com/v2")
	fmt.Println(got[0].Object["apiVersion"], got[0].Err)
	// Output: example.com/v2 <nil>
}

// A field that has another name, and one that the other version does not know.
func ExampleRules() {
	rules, err := conversion.ParseRules(`
hub: v1
versions:
  v1beta1:
  - move: {v1beta1: spec.host, v1: spec.hostname}
  - only: {v1beta1: spec.theme}
`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	obj := resource.Object{
		"apiVersion": "example.com/v1beta1", "kind": "Website", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"host": "a.com", "theme": "blue"},
	}
	for _, version := range []string{"v1", "v1beta1"} {
		obj = rules.Convert(context.Background(), []resource.Object{obj}, "example.com/"+version)[0].Object
		fmt.Println(version, obj["spec"], obj["metadata"].(map[string]any)["annotations"])
	}
	// Output:
	// v1 map[hostname:a.com] map[keelson.dev/conversion-data:{"v1beta1":{".spec.theme":{"value":"blue"}}}]
	// v1beta1 map[host:a.com theme:blue] <nil>
}
