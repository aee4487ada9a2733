package compat

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/webhook"
	"github.com/keelson-project/keelson/runtime/webhook/certs"
)

// colours are what ConfigMaps of the test must have and may not be.
type colours struct{}

func (colours) Default(_ context.Context, obj *corev1.ConfigMap) error {
	if obj.Data["colour"] == "" {
		obj.Data = map[string]string{"colour": "green"}
	}
	return nil
}

func (colours) ValidateCreate(_ context.Context, obj *corev1.ConfigMap) (webhook.Warnings, error) {
	if obj.Data["colour"] == "red" {
		return webhook.Warnings{"think again"}, field.Invalid(field.NewPath("data", "colour"), "red", "is not liked")
	}
	return nil, nil
}

func (c colours) ValidateUpdate(ctx context.Context, _, newObj *corev1.ConfigMap) (webhook.Warnings, error) {
	return c.ValidateCreate(ctx, newObj)
}

func (colours) ValidateDelete(_ context.Context, obj *corev1.ConfigMap) (webhook.Warnings, error) {
	if obj.Name == "kept" {
		return nil, apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, obj.Name, fmt.Errorf("it is kept"))
	}
	return nil, nil
}

const hookCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: hooked.webhooks.e.com}
spec:
  group: webhooks.e.com
  scope: Namespaced
  names: {plural: hooked, kind: Hooked}
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: "%s/convert"}}}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {host: {type: string}}}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {hostname: {type: string}}}}}
`

const hookConfiguration = `
apiVersion: admissionregistration.k8s.io/v1
kind: %sWebhookConfiguration
metadata: {name: keelson-compat}
webhooks:
- name: colours.e.com
  clientConfig: {url: "%s%s"}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE, DELETE]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: webhooks}}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
`

// TestWebhooks has the suite's server, which may be a kube-apiserver, call webhooks that a manager runs, with certificates
// that it has made and injected.
func TestWebhooks(t *testing.T) {
	cfg, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	check(t, err)
	transport, err := rest.TransportFor(cfg)
	check(t, err)
	scheme := kruntime.NewScheme()
	check(t, corev1.AddToScheme(scheme))
	mgr, err := runtime.New(client.Config{Host: cfg.Host, Transport: transport}, runtime.Options{Scheme: scheme})
	check(t, err)
	c, ctx := mgr.Direct(), t.Context()
	check(t, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "webhooks"}}))
	certificates, err := certs.New(certs.Options{
		Client: c, Secret: client.ObjectKey{Namespace: "default", Name: "keelson-compat-webhook"}, Hosts: []string{"127.0.0.1"},
		Targets: []certs.Target{
			certs.CustomResourceDefinition("hooked.webhooks.e.com"),
			certs.ValidatingWebhookConfiguration("keelson-compat"), certs.MutatingWebhookConfiguration("keelson-compat"),
		},
	})
	check(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	url := "https://" + listener.Addr().String()
	server := webhook.NewServer(webhook.Options{Listener: listener, Certificates: certificates, Scheme: scheme})
	check(t, webhook.NewWebhookManagedBy(server, &corev1.ConfigMap{}).WithValidator(colours{}).WithDefaulter(colours{}).Complete())
	check(t, server.HandleConversion(schema.GroupKind{Group: "webhooks.e.com", Kind: "Hooked"}, webhook.ConverterFunc(renameHost)))
	check(t, mgr.Add(server.Run, false))
	running, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- mgr.Run(running) }()
	defer func() { cancel(); check(t, <-ran) }()

	createYAML(t, c, hookCRD, url)
	hookedConverts(t, c)

	mapping := schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingWebhookConfiguration"}
	if _, err := c.MappingFor(ctx, mapping); meta.IsNoMatchError(err) {
		t.Skip("the server has no admission webhooks; conversion was tested")
	}
	createYAML(t, c, hookConfiguration, "Mutating", url, "/mutate--v1-configmap")
	createYAML(t, c, hookConfiguration, "Validating", url, "/validate--v1-configmap")
	hookedAdmits(t, client.Namespaced(c, "webhooks"))
}

func renameHost(_ context.Context, obj *unstructured.Unstructured, from, to schema.GroupVersionKind) error {
	names := map[string]string{"v1": "host", "v2": "hostname"}
	obj.Object[names[to.Version]] = obj.Object[names[from.Version]]
	delete(obj.Object, names[from.Version])
	return nil
}

func createYAML(t *testing.T, c client.Client, text string, args ...any) {
	t.Helper()
	u := &unstructured.Unstructured{}
	check(t, yaml.Unmarshal(fmt.Appendf(nil, text, args...), &u.Object))
	check(t, c.Create(t.Context(), u))
	t.Cleanup(func() { check(t, c.Delete(context.WithoutCancel(t.Context()), u)) })
}

func hooked(version, field, value string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "webhooks.e.com/" + version, "kind": "Hooked", field: value}}
	u.SetNamespace("webhooks")
	u.SetName("one")
	return u
}

func hookedConverts(t *testing.T, c client.Client) {
	t.Helper()
	untilWell(t, "conversion", func() error { return c.Create(t.Context(), hooked("v2", "hostname", "a.b")) })
	u := hooked("v1", "host", "")
	check(t, c.Get(t.Context(), client.KeyOf(u), u))
	if u.Object["host"] != "a.b" {
		t.Errorf("in v1 it is %v", u.Object)
	}
}

func hookedAdmits(t *testing.T, c client.Client) {
	t.Helper()
	ctx := t.Context()
	colour := func(name, value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"colour": value}}
	}
	untilWell(t, "admission", func() error {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "probe"}}
		if err := c.Create(ctx, cm, client.DryRunAll); err != nil || cm.Data["colour"] != "green" {
			return fmt.Errorf("created %v: %w", cm.Data, err)
		}
		if err := c.Create(ctx, colour("probe", "red"), client.DryRunAll); !apierrors.IsInvalid(err) {
			return fmt.Errorf("red is not refused: %w", err)
		}
		return nil
	})
	kept := colour("kept", "")
	check(t, c.Create(ctx, kept))
	if kept.Data["colour"] != "green" {
		t.Errorf("defaulted to %v", kept.Data)
	}
	kept.Data["colour"] = "red"
	const want = `admission webhook "colours.e.com" denied the request: ConfigMap "kept" is invalid: data.colour: Invalid value: "red": is not liked`
	if err := c.Update(ctx, kept); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("an update: %v", err)
	}
	if err := c.Delete(ctx, kept); !apierrors.IsConflict(err) {
		t.Errorf("a deletion: %v", err)
	}
}
