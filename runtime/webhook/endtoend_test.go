package webhook_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr/testr"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/webhook"
	"github.com/keelson-project/keelson/runtime/webhook/certs"
)

const threeVersions = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: websites.e.com}
spec:
  group: e.com
  scope: Namespaced
  names: {plural: websites, singular: website, kind: Website, listKind: WebsiteList}
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: "https://%s/convert"}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {host: {type: string}, replicas: {type: integer}}}}}}
  - name: v2
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {hostname: {type: string}}}}}}
  - name: v3
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {labels: {type: array, items: {type: string}}}}}}}
`

func website(version, name string, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "e.com/" + version, "kind": "Website", "spec": spec}}
	u.SetNamespace("default")
	u.SetName(name)
	return u
}

// hooked is an API server with a CRD whose conversion webhook is run by a manager.
type hooked struct {
	client.Client
	url    string // of the webhooks
	bundle []byte // that the API server trusts
	stop   func()
}

func startHooked(t *testing.T) *hooked {
	t.Helper()
	srv := apiservertest.Start(t, apiservertest.Options{})
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: srv.Transport()}, runtime.Options{Scheme: scheme(), Logger: testr.New(t)})
	ok(t, err)
	certificates, err := certs.New(certs.Options{
		Client: mgr.Direct(), Secret: client.ObjectKey{Namespace: "default", Name: "webhook"}, Hosts: []string{"127.0.0.1"},
		Targets: []certs.Target{certs.CustomResourceDefinition("websites.e.com")}, Logger: mgr.Logger(),
	})
	ok(t, err)
	l := listen(t)
	server := webhook.NewServer(webhook.Options{Listener: l, Certificates: certificates, Scheme: mgr.Scheme(), Logger: mgr.Logger()})
	ok(t, webhook.NewWebhookManagedBy(server, &Website{}).WithValidator(&validator{err: errors.New("not today")}).Complete())
	ok(t, mgr.Add(server.Run, false))
	mgr.AddReadyzCheck("webhook", server.Ready)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Run(ctx) }()
	h := &hooked{Client: mgr.Direct(), url: "https://" + l.Addr().String(), stop: func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
	crd := &unstructured.Unstructured{}
	ok(t, yaml.Unmarshal(fmt.Appendf(nil, threeVersions, l.Addr()), &crd.Object))
	ok(t, h.Create(t.Context(), crd))
	h.await(t)
	return h
}

// await returns when the API server has been told whom to trust.
func (h *hooked) await(t *testing.T) {
	t.Helper()
	list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinitionList"}}
	w, err := h.Watch(t.Context(), list)
	ok(t, err)
	defer w.Close()
	for {
		_, obj, err := w.Next(t.Context())
		ok(t, err)
		text, _, _ := unstructured.NestedString(obj.(*unstructured.Unstructured).Object, "spec", "conversion", "webhook", "clientConfig", "caBundle")
		if h.bundle, err = base64.StdEncoding.DecodeString(text); text != "" {
			ok(t, err)
			break
		}
	}
	// What a watch tells, the server may yet have to act on.
	for err = errors.New(""); err != nil && t.Context().Err() == nil; {
		err = h.Create(t.Context(), website("v2", "probe", map[string]any{}), client.DryRunAll)
	}
	ok(t, err)
}

// What is written in one version is read in the others, by way of the webhook.
func TestConversionThroughAServer(t *testing.T) {
	h := startHooked(t)
	defer h.stop()
	ctx := t.Context()
	ok(t, h.Create(ctx, website("v1", "one", map[string]any{"host": "a.b", "replicas": int64(2)})))
	ok(t, h.Create(ctx, website("v3", "three", map[string]any{"labels": []any{"c", "d"}})))
	for name, want := range map[string]string{"one": "a.b", "three": "c.d"} {
		for version, read := range map[string]func(map[string]any) string{
			"v1": func(spec map[string]any) string { s, _ := spec["host"].(string); return s },
			"v2": func(spec map[string]any) string { s, _ := spec["hostname"].(string); return s },
			"v3": func(spec map[string]any) string {
				l, _, _ := unstructured.NestedStringSlice(spec, "labels")
				return strings.Join(l, ".")
			},
		} {
			u := website(version, name, nil)
			ok(t, h.Get(ctx, client.KeyOf(u), u))
			if spec, _ := u.Object["spec"].(map[string]any); read(spec) != want {
				t.Errorf("%s in %s is %v", name, version, u.Object)
			}
		}
	}
	list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "e.com/v2", "kind": "WebsiteList"}}
	ok(t, h.List(ctx, list, client.InNamespace("default")))
	if len(list.Items) != 2 || list.Items[0].GetAPIVersion() != "e.com/v2" {
		t.Errorf("listed %v", list.Items)
	}
	err := h.Create(ctx, website("v1", "bad", map[string]any{"host": "refused"}))
	ok(t, err) // it is stored as it came
	bad := website("v2", "bad", nil)
	if err := h.Get(ctx, client.KeyOf(bad), bad); err == nil || !strings.Contains(err.Error(), "Website default/bad: to the hub v2: that host cannot be") {
		t.Errorf("the webhook's refusal is %v", err)
	}
}

func TestAdmissionOverTLS(t *testing.T) {
	h := startHooked(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(h.bundle)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	caller := &http.Client{Transport: transport}
	defer h.stop()
	defer transport.CloseIdleConnections()
	resp, err := caller.Post(h.url+"/validate-e-com-v1-website?timeout=10s", "application/json", bytes.NewReader(body(t, "create")))
	ok(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	ok(t, err)
	var review admissionv1.AdmissionReview
	ok(t, json.Unmarshal(data, &review))
	if review.Response.Allowed || review.Response.Result.Reason != metav1.StatusReasonForbidden || review.Response.Result.Message != "not today" {
		t.Errorf("%s", data)
	}
	if _, err := http.Get(h.url + "/"); err == nil {
		t.Error("who does not know the authority trusts it")
	}
}
