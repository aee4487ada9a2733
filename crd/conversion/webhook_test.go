package conversion_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/auth/pki"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/conversion"
	"github.com/keelson-project/keelson/internal/webhooktest"
)

func site(name string) resource.Object {
	return resource.Object{
		"apiVersion": "e.com/v1", "kind": "Website", "spec": map[string]any{"host": name + ".com"},
		"metadata": map[string]any{
			"name": name, "namespace": "default", "uid": "u-" + name, "resourceVersion": "7", "generation": int64(3),
			"labels": map[string]any{"a": "b"}, "finalizers": []any{"e.com/hold"},
		},
	}
}

func startHook(t testing.TB, o conversion.Options) (*webhooktest.Hook, *conversion.Webhook) {
	h := webhooktest.Start(t, webhooktest.Rename("v1", "host", "hostname"), nil)
	w := conversion.NewWebhooks(o)
	t.Cleanup(w.Close)
	return h, w.Converter(conversion.WebhookConfig{URL: h.URL + "/convert", CABundle: h.CA, ReviewVersions: []string{"v1"}})
}

func convertOne(t testing.TB, c conversion.Converter) resource.Converted {
	t.Helper()
	return c.Convert(t.Context(), []resource.Object{site("a")}, "e.com/v2")[0]
}

func TestWebhookConvertsABatch(t *testing.T) {
	h, w := startHook(t, conversion.Options{})
	there := site("there")
	there["apiVersion"] = "e.com/v2"
	got := w.Convert(t.Context(), []resource.Object{site("a"), there, site("b")}, "e.com/v2")
	for i, name := range []string{"a", "there", "b"} {
		want := site(name)
		want["apiVersion"] = "e.com/v2"
		if name != "there" {
			want["spec"] = map[string]any{"hostname": name + ".com"}
		}
		if got[i].Err != nil || !reflect.DeepEqual(got[i].Object, want) {
			t.Errorf("got %v %v, want %v", got[i].Object, got[i].Err, want)
		}
	}
	if b := h.Batches(); !reflect.DeepEqual(b, []int{2}) {
		t.Errorf("the webhook was called with %v objects", b)
	}
	request := h.Last()["request"].(map[string]any)
	sent := request["objects"].([]any)[0].(map[string]any)["metadata"].(map[string]any)
	if sent["resourceVersion"] != nil || request["desiredAPIVersion"] != "e.com/v2" || h.Last()["apiVersion"] != "apiextensions.k8s.io/v1" {
		t.Errorf("sent %v", h.Last())
	}
}

// What a webhook may change of metadata are labels and annotations; the rest is put back.
func TestWebhookMayChangeLabelsAndAnnotations(t *testing.T) {
	h, w := startHook(t, conversion.Options{})
	h.DamageObjects(func(obj webhooktest.Object) {
		meta := obj["metadata"].(webhooktest.Object)
		meta["labels"], meta["annotations"] = webhooktest.Object{"new": "label"}, webhooktest.Object{"new": "annotation"}
		meta["generation"], meta["resourceVersion"] = 77, "77"
		delete(meta, "finalizers")
	})
	want := site("a")["metadata"].(map[string]any)
	want["labels"], want["annotations"] = map[string]any{"new": "label"}, map[string]any{"new": "annotation"}
	if got := convertOne(t, w); got.Err != nil || !reflect.DeepEqual(got.Object["metadata"], want) {
		t.Errorf("got %v %v, want %v", got.Object["metadata"], got.Err, want)
	}
	h.DamageObjects(func(obj webhooktest.Object) { delete(obj["metadata"].(webhooktest.Object), "labels") })
	if got := convertOne(t, w); got.Err != nil || got.Object["metadata"].(map[string]any)["labels"] != nil {
		t.Errorf("got %v %v", got.Object, got.Err)
	}
}

// The texts are kube-apiserver 1.37.2's, from a webhook that answered it the same.
func TestWebhookAnswersThatAreRefused(t *testing.T) {
	const (
		failed  = "conversion webhook for e.com/v1, Kind=Website failed: "
		invalid = "conversion webhook for e.com/v1, Kind=Website returned invalid object"
		meta    = "conversion webhook for e.com/v1, Kind=Website returned invalid metadata: "
	)
	response := func(change func(webhooktest.Object)) func(webhooktest.Object) {
		return func(answer webhooktest.Object) { change(answer["response"].(webhooktest.Object)) }
	}
	object := func(change func(webhooktest.Object)) func(webhooktest.Object) {
		return response(func(r webhooktest.Object) { change(r["convertedObjects"].([]any)[0].(webhooktest.Object)) })
	}
	metadata := func(key string, value any) func(webhooktest.Object) {
		return object(func(o webhooktest.Object) { o["metadata"].(webhooktest.Object)[key] = value })
	}
	for name, c := range map[string]struct {
		damage func(webhooktest.Object)
		want   string
	}{
		"uid": {response(func(r webhooktest.Object) { r["uid"] = "x" }), failed + `expected response.uid="`},
		"two objects": {response(func(r webhooktest.Object) {
			l := r["convertedObjects"].([]any)
			r["convertedObjects"] = append(l, l...)
		}), "conversion webhook for e.com/v1, Kind=Website returned 2 objects, expected 1"},
		"no objects": {response(func(r webhooktest.Object) { r["convertedObjects"] = nil }), "conversion webhook for e.com/v1, Kind=Website returned 0 objects, expected 1"},
		"failure": {response(func(r webhooktest.Object) {
			r["result"] = webhooktest.Object{"status": "Failed", "message": "it does not want to"}
		}), failed + "it does not want to"},
		"mute failure": {response(func(r webhooktest.Object) { r["result"] = webhooktest.Object{"status": "Failed"} }), failed + "response.result.status was 'Failed', not 'Success'"},
		"no response":  {func(a webhooktest.Object) { delete(a, "response") }, failed + "no response provided"},
		"kind of answer": {func(a webhooktest.Object) { a["kind"] = "Nope" },
			failed + `no kind "Nope" is registered for version "apiextensions.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111"`},
		"version of answer": {func(a webhooktest.Object) { a["apiVersion"] = "apiextensions.k8s.io/v1beta1" },
			failed + "converting (v1beta1.ConversionReview) to (v1.ConversionReview): unknown conversion"},
		"no kind of answer": {func(a webhooktest.Object) { delete(a, "kind"); delete(a, "apiVersion") },
			failed + "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind="},
		"no object":       {response(func(r webhooktest.Object) { r["convertedObjects"] = []any{"a"} }), "json: cannot unmarshal string into Go value of type map[string]interface {}"},
		"no kind":         {object(func(o webhooktest.Object) { delete(o, "kind") }), `Object 'Kind' is missing in '{"apiVersion":"e.com/v2"`},
		"other kind":      {object(func(o webhooktest.Object) { o["kind"] = "Other" }), invalid + " at index 0: invalid kind (expected Website, received Other)"},
		"other version":   {object(func(o webhooktest.Object) { o["apiVersion"] = "other/v1" }), invalid + " at index 0: invalid groupVersion (expected e.com/v2, received other/v1)"},
		"other name":      {metadata("name", "ax"), invalid + ": must have the same name: a != ax"},
		"other namespace": {metadata("namespace", "x"), invalid + ": must have the same namespace: default != x"},
		"other uid":       {metadata("uid", "x"), invalid + ": must have the same UID: u-a != x"},
		"no metadata":     {object(func(o webhooktest.Object) { delete(o, "metadata") }), invalid + ": must have the same name: a != "},
		"labels":          {metadata("labels", []any{"new"}), meta + "invalid metadata.labels of type []interface {} in converted object"},
		"a label's type":  {metadata("labels", webhooktest.Object{"new": 3}), meta + "metadata.labels[new] must be a string, but is int64 in converted object"},
		"a label":         {metadata("labels", webhooktest.Object{"new": "_-"}), meta + `metadata.labels: Invalid value: "_-": a valid label must be`},
		"an annotation":   {metadata("annotations", webhooktest.Object{"new _": ""}), meta + `metadata.annotation: Invalid value: "new _": name part must consist of`},
	} {
		t.Run(name, func(t *testing.T) {
			var observed conversion.Failure
			h, w := startHook(t, conversion.Options{Observe: func(_ time.Duration, f conversion.Failure) { observed = f }})
			defer func() {
				if want := failureOf(c.want); observed != want {
					t.Errorf("observed %q, want %q", observed, want)
				}
			}()
			h.Damage(c.damage)
			if got := convertOne(t, w); got.Err == nil || got.Object != nil || !strings.HasPrefix(got.Err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", got.Err, c.want)
			}
		})
	}
}

// failureOf is what is observed of an answer that is refused with a text.
func failureOf(text string) conversion.Failure {
	switch {
	case strings.Contains(text, "failed: "):
		return conversion.AnswerMalformed
	case strings.Contains(text, "objects, expected"):
		return conversion.AnswerPartial
	}
	return conversion.ObjectInvalid
}

func TestWebhookAnswersThatAreNoReviews(t *testing.T) {
	h, w := startHook(t, conversion.Options{})
	for _, c := range []struct {
		code        int
		media, body string
		want        string
	}{
		{500, "application/json", "oops", `an error on the server ("unknown") has prevented the request from succeeding`},
		{500, "text/plain", "oops", `an error on the server ("oops") has prevented the request from succeeding`},
		{404, "application/json", "oops", "the server could not find the requested resource"},
		{403, "application/json", `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"forbidden by me","reason":"Forbidden","code":403}`, "forbidden by me"},
		{200, "application/json", `hello`, `couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`},
	} {
		h.Answer(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", c.media)
			w.WriteHeader(c.code)
			_, _ = w.Write([]byte(c.body))
		})
		want := "conversion webhook for e.com/v1, Kind=Website failed: " + c.want
		if got := convertOne(t, w); got.Err == nil || got.Err.Error() != want {
			t.Errorf("got  %v\nwant %s", got.Err, want)
		}
	}
	h.Answer(nil)
	if got := convertOne(t, w); got.Err != nil {
		t.Errorf("the next call is not better: %v", got.Err)
	}
}

func TestWebhookThatIsNotReached(t *testing.T) {
	h, w := startHook(t, conversion.Options{Timeout: 50 * time.Millisecond})
	h.Answer(func(http.ResponseWriter) { <-t.Context().Done() })
	post := `conversion webhook for e.com/v1, Kind=Website failed: Post "` + h.URL + `/convert?timeout=50ms": `
	if got := convertOne(t, w); got.Err == nil || got.Err.Error() != post+"context deadline exceeded" {
		t.Errorf("slow: %v", got.Err)
	}
	other, _ := startHook(t, conversion.Options{})
	clients := conversion.NewWebhooks(conversion.Options{})
	for want, config := range map[string]conversion.WebhookConfig{
		"/?timeout=30s\": tls: failed to verify certificate: x509: certificate signed by unknown authority": {URL: other.URL + "/", CABundle: strangerCA(t)},
		"connect: connection refused":                                     {URL: "https://127.0.0.1:1/x"},
		"services cannot be resolved here":                                {Service: &conversion.Service{Namespace: "a", Name: "b"}},
		"unable to load root certificates":                                {URL: other.URL, CABundle: []byte("hello")},
		`Post "https://b.a.svc:443/p?timeout=30s": services cannot be re`: {Service: &conversion.Service{Namespace: "a", Name: "b", Path: "/p"}},
	} {
		config.ReviewVersions = []string{"v1"}
		if got := convertOne(t, clients.Converter(config)); got.Err == nil || !strings.Contains(got.Err.Error(), want) {
			t.Errorf("got  %v\nwant %s", got.Err, want)
		}
	}
	got := convertOne(t, clients.Converter(conversion.WebhookConfig{URL: other.URL, ReviewVersions: []string{"v7"}}))
	if got.Err == nil || got.Err.Error() != "no supported conversion review versions" {
		t.Error(got.Err)
	}
}

func strangerCA(t testing.TB) []byte {
	t.Helper()
	a, err := pki.Open(t.TempDir(), pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a.CA()
}

// resolver finds everything at one address.
type resolver struct {
	asked, address string
	err            error
}

func (r *resolver) ResolveService(_ context.Context, namespace, name string, port int32) (string, error) {
	r.asked = strings.Join([]string{namespace, name, string('0' + port)}, "/")
	return r.address, r.err
}

func TestWebhookBehindAService(t *testing.T) {
	a, err := pki.Open(t.TempDir(), pki.Options{Hosts: []string{"hook.shop.svc"}})
	if err != nil {
		t.Fatal(err)
	}
	h := webhooktest.Start(t, webhooktest.Rename("v1", "host", "hostname"), a.TLSConfig())
	r := &resolver{address: h.Address}
	w := conversion.NewWebhooks(conversion.Options{Resolver: r})
	t.Cleanup(w.Close)
	c := w.Converter(conversion.WebhookConfig{
		Service: &conversion.Service{Namespace: "shop", Name: "hook", Port: 8, Path: "/convert"}, CABundle: a.CA(), ReviewVersions: []string{"v1beta1"},
	})
	if got := convertOne(t, c); got.Err != nil || r.asked != "shop/hook/8" || h.Last()["apiVersion"] != "apiextensions.k8s.io/v1beta1" {
		t.Error(got.Err, r.asked, h.Last()["apiVersion"])
	}
	if got := convertOne(t, c); got.Err != nil || h.Connections() != 1 {
		t.Error("the connection is not used again", got.Err, h.Connections())
	}

	// What the Service says is asked for at each call, whatever connections there are.
	other := webhooktest.Start(t, webhooktest.Rename("v1", "host", "hostname"), a.TLSConfig())
	r.address = other.Address
	if got := convertOne(t, c); got.Err != nil || len(other.Batches()) != 1 {
		t.Error("the old address is still used", got.Err)
	}
	if host := other.Host(); host != "hook.shop.svc:8" {
		t.Errorf("the webhook was called %q", host)
	}
	r.err = errors.New(`service "hook" not found`)
	const want = `Post "https://hook.shop.svc:8/convert?timeout=30s": service "hook" not found`
	if got := convertOne(t, c); got.Err == nil || !strings.HasSuffix(got.Err.Error(), want) {
		t.Errorf("got  %v\nwant %s", got.Err, want)
	}
}

// With room for one client, two webhooks in turn still work; they only connect anew.
func TestWebhookClientsAreBounded(t *testing.T) {
	clients := conversion.NewWebhooks(conversion.Options{Clients: 1})
	t.Cleanup(clients.Close)
	var both []conversion.Converter
	for range 2 {
		h, _ := startHook(t, conversion.Options{})
		both = append(both, clients.Converter(conversion.WebhookConfig{URL: h.URL, CABundle: h.CA, ReviewVersions: []string{"v1"}}))
	}
	for range 2 {
		for _, c := range both {
			if got := convertOne(t, c); got.Err != nil {
				t.Error(got.Err)
			}
		}
	}
}
