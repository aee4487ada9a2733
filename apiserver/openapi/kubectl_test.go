package openapi_test

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	cliresource "k8s.io/cli-runtime/pkg/resource"
	explainv2 "k8s.io/kubectl/pkg/explain/v2"
	kubectlopenapi "k8s.io/kubectl/pkg/util/openapi"
	"k8s.io/kubectl/pkg/validation"
)

func TestKubectlFindsFieldValidation(t *testing.T) {
	_, client := serve(t, newCatalog(t))
	verifier := cliresource.NewQueryParamVerifierV3(nil, client.OpenAPIV3(), cliresource.QueryParamFieldValidation)
	v2 := cliresource.NewQueryParamVerifier(nil, client, cliresource.QueryParamFieldValidation)
	for _, gvk := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMap"}, {Group: "apps", Version: "v1", Kind: "Deployment"}, {Version: "v1", Kind: "Namespace"},
		{Group: "example.com", Version: "v1", Kind: "Widget"}, {Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"},
	} {
		if err := verifier.HasSupport(gvk); err != nil {
			t.Errorf("v3, %s: %v", gvk, err)
		}
		if err := v2.HasSupport(gvk); err != nil {
			t.Errorf("v2, %s: %v", gvk, err)
		}
	}
}

func TestExplain(t *testing.T) {
	_, client := serve(t, newCatalog(t))
	for _, c := range []struct {
		gvr       schema.GroupVersionResource
		path      []string
		recursive bool
		want      []string
	}{
		{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, nil, false,
			[]string{"GROUP:      apps", "KIND:       Deployment", "spec\t<DeploymentSpec>"}},
		{schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, []string{"spec", "strategy", "type"}, false,
			[]string{"FIELD: type <string>", "ENUM:", "Recreate"}},
		{schema.GroupVersionResource{Version: "v1", Resource: "pods"}, nil, true,
			[]string{"imagePullPolicy\t<string>", "enum: Always, IfNotPresent, Never"}},
		{schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}, []string{"spec"}, false,
			[]string{"What is wanted.", "replicas\t<integer> -required-", "size\t<"}},
	} {
		var b bytes.Buffer
		if err := explainv2.PrintModelDescription(c.path, &b, client.OpenAPIV3(), c.gvr, c.recursive, 0, "plaintext"); err != nil {
			t.Errorf("%v: %v", c.gvr, err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%v %v: no %q in\n%.600s", c.gvr, c.path, want, b.String())
			}
		}
	}
}

// TestKubectlValidatesByV2 checks objects as kubectl does where a server cannot: by the v2 document.
func TestKubectlValidatesByV2(t *testing.T) {
	_, client := serve(t, newCatalog(t))
	doc, err := client.OpenAPISchema()
	if err != nil {
		t.Fatal(err)
	}
	resources, err := kubectlopenapi.NewOpenAPIData(doc)
	if err != nil {
		t.Fatal(err)
	}
	schema := validation.NewSchemaValidation(kubectlSchemas{resources})
	for _, c := range []struct{ object, want string }{
		{`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"replicas":1,"size":"big","color":null,"note":"n"}}`, ""},
		{`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"replicas":1,"colour":"red"}}`, `unknown field "colour" in com.example.v1.Widget.spec`},
		{`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},"spec":{}}`, `missing required field "replicas" in com.example.v1.Widget.spec`},
		{`{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"b"}}`, ""},
		{`{"apiVersion":"v1","kind":"ConfigMap","daata":{}}`, `unknown field "daata" in io.k8s.api.core.v1.ConfigMap`},
		{`{"apiVersion":"apps/v1","kind":"Deployment","spec":{"selector":{},"template":{"spec":{"containers":[{"name":"a","ports":[{"containerPort":"x"}]}]}}}}`,
			`invalid type for io.k8s.api.core.v1.ContainerPort.containerPort: got "string", expected "integer"`},
	} {
		err := schema.ValidateBytes([]byte(c.object))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.object, err, c.want)
		}
	}
}

// kubectlSchemas gives kubectl the document.
type kubectlSchemas struct{ kubectlopenapi.Resources }

func (s kubectlSchemas) OpenAPISchema() (kubectlopenapi.Resources, error) { return s.Resources, nil }
