package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/webhook/certs"
)

const crdName = "websites.e.com"

var secretKey = client.ObjectKey{Namespace: "default", Name: "webhook-certs"}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start a server with the CRD, in virtual time.
func start(t *testing.T, crds ...string) (*client.Direct, http.RoundTripper) {
	t.Helper()
	srv := apiservertest.Start(t, apiservertest.Options{CRDs: crds, NoListener: true})
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{})
	ok(t, err)
	return c, srv.Transport()
}

// replica is one process's certificates.
type replica struct {
	*certs.Managed
	stop func()
}

func newReplica(t *testing.T, c *client.Direct, targets ...certs.Target) *replica {
	t.Helper()
	m, err := certs.New(certs.Options{
		Client: c, Secret: secretKey, Hosts: []string{"webhook.test", "10.0.0.1"}, Targets: targets,
		AuthorityLife: 6 * time.Hour, Life: 2 * time.Hour, Overlap: 10 * time.Minute,
	})
	ok(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := m.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return &replica{m, func() { cancel(); running.Wait() }}
}

// leaf is the certificate that a client is shown.
func (r *replica) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	ok(t, r.Ready())
	cert, err := r.GetCertificate(&tls.ClientHelloInfo{})
	ok(t, err)
	return cert.Leaf
}

func object(kind, version, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"kind": kind, "apiVersion": version}}
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

// caBundle is what the server trusts.
func caBundle(t *testing.T, c client.Client) []byte {
	t.Helper()
	crd := object("CustomResourceDefinition", "apiextensions.k8s.io/v1", "", crdName)
	ok(t, c.Get(t.Context(), client.KeyOf(crd), crd))
	text, _, err := unstructured.NestedString(crd.Object, "spec", "conversion", "webhook", "clientConfig", "caBundle")
	ok(t, err)
	bundle, err := base64.StdEncoding.DecodeString(text)
	ok(t, err)
	return bundle
}

func verify(t *testing.T, what string, leaf *x509.Certificate, bundle []byte) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "webhook.test"}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	ok(t, leaf.VerifyHostname("10.0.0.1"))
}

// settle lets everything that is under way happen.
func settle() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// Two replicas over 16 hours, in which authorities last six hours: at each minute, what each of them shows is trusted by a
// server that knows of the caBundle of now, or of five minutes ago; whatever is done to the Secret, the caBundle and
// the replicas meanwhile.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t, "testdata/websites.yaml")
		replicas := []*replica{newReplica(t, c, certs.CustomResourceDefinition(crdName)), newReplica(t, c, certs.CustomResourceDefinition(crdName))}
		defer func() {
			for _, r := range replicas {
				r.stop()
			}
		}()
		settle()
		signers, leafs := map[string]bool{}, map[string]bool{}
		var bundles [][]byte // of each minute
		for minute := range 16 * 60 {
			bundles = append(bundles, caBundle(t, c))
			for _, r := range replicas {
				leaf := r.leaf(t)
				verify(t, "now", leaf, bundles[minute])
				verify(t, "five minutes late", leaf, bundles[max(0, minute-5)])
				signers[string(leaf.AuthorityKeyId)], leafs[leaf.SerialNumber.String()] = true, true
			}
			switch minute {
			case 250: // while there is a successor that does not sign yet
				ok(t, c.Delete(t.Context(), object("Secret", "v1", secretKey.Namespace, secretKey.Name)))
			case 400:
				crd := object("CustomResourceDefinition", "apiextensions.k8s.io/v1", "", crdName)
				ok(t, c.Patch(t.Context(), crd, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"conversion":{"webhook":{"clientConfig":{"caBundle":null}}}}}`))))
			case 700:
				replicas[0].stop()
				replicas[0] = newReplica(t, c, certs.CustomResourceDefinition(crdName))
			}
			time.Sleep(time.Minute - 2*time.Second)
			settle()
		}
		if len(signers) != 4 || len(leafs) < 15 {
			t.Errorf("%d authorities and %d certificates", len(signers), len(leafs))
		}
	})
}

// While one of the Targets cannot be written, nothing is shown that it does not trust, until the old authority ends.
func TestNothingIsShownBeforeItIsTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, wire := start(t, "testdata/websites.yaml")
		r := newReplica(t, c, certs.CustomResourceDefinition(crdName))
		settle()
		first, bundle := r.leaf(t), caBundle(t, c)
		r.stop()
		blocked, err := client.New(client.Config{Host: "http://server", Transport: refusing{wire}}, client.Options{})
		ok(t, err)
		r = newReplica(t, blocked, certs.CustomResourceDefinition(crdName))
		defer func() { r.stop() }()
		settle()
		for range 5*60 + 55 {
			leaf := r.leaf(t)
			verify(t, "without a new caBundle", leaf, bundle)
			if string(leaf.AuthorityKeyId) != string(first.AuthorityKeyId) {
				t.Fatal("signed by another")
			}
			time.Sleep(time.Minute)
		}
		secret := object("Secret", "v1", secretKey.Namespace, secretKey.Name)
		ok(t, c.Get(t.Context(), secretKey, secret))
		if _, found, _ := unstructured.NestedString(secret.Object, "data", "next.key"); !found {
			t.Error("there is no successor")
		}
	})
}

// Kinds that the server does not have and objects that are not there yet hold up nothing, and are served when they come.
func TestTargetsThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t)
		r := newReplica(t, c, certs.CustomResourceDefinition(crdName), certs.ValidatingWebhookConfiguration("v"), certs.MutatingWebhookConfiguration("m"))
		defer func() { r.stop() }()
		settle()
		leaf := r.leaf(t)
		ok(t, c.Create(t.Context(), crd(t)))
		settle()
		verify(t, "a CRD that came later", leaf, caBundle(t, c))
		time.Sleep(5 * time.Hour)
		if later := r.leaf(t); string(later.AuthorityKeyId) == string(leaf.AuthorityKeyId) {
			t.Error("what is missing holds up the rotation")
		}
	})
}

// Ten replicas that start at once agree on one authority, whatever was in the Secret before, and keep what is not theirs.
func TestReplicasThatStartAtOnce(t *testing.T) {
	for name, data := range map[string]map[string]any{
		"no Secret":      nil,
		"another's keys": {"other": "eA==", "ca.crt": "eA=="},
		"damaged":        {"signer.crt": "eA==", "signer.key": "eA==", "next.crt": "eA=="},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := start(t, "testdata/websites.yaml")
				if data != nil {
					secret := object("Secret", "v1", secretKey.Namespace, secretKey.Name)
					secret.Object["data"] = data
					ok(t, c.Create(t.Context(), secret))
				}
				var all []*replica
				for range 10 {
					all = append(all, newReplica(t, c, certs.CustomResourceDefinition(crdName)))
				}
				time.Sleep(10 * time.Second)
				for _, r := range all {
					verify(t, "each", r.leaf(t), caBundle(t, c))
					if string(r.leaf(t).AuthorityKeyId) != string(all[0].leaf(t).AuthorityKeyId) {
						t.Error("two authorities")
					}
					r.stop()
				}
				secret := object("Secret", "v1", secretKey.Namespace, secretKey.Name)
				ok(t, c.Get(t.Context(), secretKey, secret))
				if other, _, _ := unstructured.NestedString(secret.Object, "data", "other"); data["other"] != nil && other != "eA==" {
					t.Error("what others keep in the Secret is gone")
				}
			})
		})
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	c, err := client.New(client.Config{Host: "http://server"}, client.Options{})
	ok(t, err)
	for _, o := range []certs.Options{
		{}, {Client: c, Secret: secretKey}, {Client: c, Hosts: []string{"a"}},
		{Client: c, Secret: secretKey, Hosts: []string{"a"}, AuthorityLife: time.Hour, Overlap: 15 * time.Minute},
	} {
		if _, err := certs.New(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	m, err := certs.New(certs.Options{Client: c, Secret: secretKey, Hosts: []string{"a"}})
	ok(t, err)
	if m.Ready() == nil {
		t.Error("ready before it runs")
	}
}

// hookCRD serves a kind of webhook configurations, which the server does not have by itself.
func hookCRD(kind, plural string) *unstructured.Unstructured {
	u := object("CustomResourceDefinition", "apiextensions.k8s.io/v1", "", plural+".admissionregistration.k8s.io")
	u.SetAnnotations(map[string]string{"api-approved.kubernetes.io": "unapproved, for a test"})
	u.Object["spec"] = map[string]any{
		"group": "admissionregistration.k8s.io", "scope": "Cluster", "names": map[string]any{"kind": kind, "plural": plural},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
		}}},
	}
	return u
}

// All webhooks of a configuration get the caBundle, and nothing else of it changes; one whose kind comes late, too.
func TestWebhookConfigurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := start(t)
		r := newReplica(t, c, certs.ValidatingWebhookConfiguration("v"), certs.MutatingWebhookConfiguration("m"))
		defer func() { r.stop() }()
		settle()
		ok(t, c.Create(t.Context(), hookCRD("ValidatingWebhookConfiguration", "validatingwebhookconfigurations")))
		ok(t, c.Create(t.Context(), hookCRD("MutatingWebhookConfiguration", "mutatingwebhookconfigurations")))
		hook := func(name string) map[string]any {
			return map[string]any{"name": name, "clientConfig": map[string]any{"service": map[string]any{"name": "s", "namespace": "n"}}, "sideEffects": "None"}
		}
		for name, kind := range map[string]string{"v": "ValidatingWebhookConfiguration", "m": "MutatingWebhookConfiguration"} {
			u := object(kind, "admissionregistration.k8s.io/v1", "", name)
			u.Object["webhooks"] = []any{hook("a.e.com"), hook("b.e.com")}
			ok(t, c.Create(t.Context(), u))
		}
		time.Sleep(2 * time.Minute) // in which it asks for the kinds again
		for name, kind := range map[string]string{"v": "ValidatingWebhookConfiguration", "m": "MutatingWebhookConfiguration"} {
			u := object(kind, "admissionregistration.k8s.io/v1", "", name)
			ok(t, c.Get(t.Context(), client.KeyOf(u), u))
			hooks, _, err := unstructured.NestedSlice(u.Object, "webhooks")
			ok(t, err)
			for i, want := range []map[string]any{hook("a.e.com"), hook("b.e.com")} {
				got := hooks[i].(map[string]any)
				config := got["clientConfig"].(map[string]any)
				text, _ := config["caBundle"].(string)
				bundle, err := base64.StdEncoding.DecodeString(text)
				ok(t, err)
				verify(t, kind, r.leaf(t), bundle)
				delete(config, "caBundle")
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %v, want %v", kind, got, want)
				}
			}
		}
	})
}
