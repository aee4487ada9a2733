package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/runtime/webhook"
)

func body(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	ok(t, err)
	return data
}

func post(h http.Handler, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// ask sends a review and returns the response in the answer, which must be one to it.
func ask(t testing.TB, h webhook.Handler, name string) *admissionv1.AdmissionResponse {
	t.Helper()
	sent := body(t, name)
	w := post(webhook.AdmissionHandler(h, testr.NewWithInterface(t, testr.Options{})), sent)
	var in, out admissionv1.AdmissionReview
	ok(t, json.Unmarshal(sent, &in))
	ok(t, json.Unmarshal(w.Body.Bytes(), &out))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || out.TypeMeta != in.TypeMeta || out.Request != nil ||
		out.Response == nil || out.Response.UID != in.Request.UID {
		t.Fatalf("answered %d %v %s", w.Code, w.Header(), w.Body)
	}
	return out.Response
}

// validator answers with what it holds, and notes what it was asked.
type validator struct {
	warnings webhook.Warnings
	err      error
	asked    string
}

func (v *validator) note(ctx context.Context, verb string, objs ...*Website) (webhook.Warnings, error) {
	req, _ := webhook.RequestFrom(ctx)
	v.asked = fmt.Sprint(verb, " by ", req.UserInfo.Username, " dry ", req.DryRun != nil && *req.DryRun)
	for _, o := range objs {
		v.asked += " " + o.Spec.Host
	}
	return v.warnings, v.err
}

func (v *validator) ValidateCreate(ctx context.Context, obj *Website) (webhook.Warnings, error) {
	return v.note(ctx, "create", obj)
}
func (v *validator) ValidateUpdate(ctx context.Context, oldObj, newObj *Website) (webhook.Warnings, error) {
	return v.note(ctx, "update", oldObj, newObj)
}
func (v *validator) ValidateDelete(ctx context.Context, obj *Website) (webhook.Warnings, error) {
	return v.note(ctx, "delete", obj)
}

func TestValidatorIsAskedAboutTheOperation(t *testing.T) {
	for name, want := range map[string]string{
		"create": "create by admin dry false shop.example.com",
		"update": "update by admin dry false old.example.com shop.example.com",
		"delete": "delete by system:serviceaccount:kube-system:namespace-controller dry true shop.example.com",
	} {
		v := &validator{warnings: webhook.Warnings{"careful"}}
		got := ask(t, webhook.Validating(v), name)
		if !got.Allowed || got.Result.Code != 200 || len(got.Warnings) != 1 || got.Warnings[0] != "careful" || v.asked != want ||
			got.Patch != nil || got.PatchType != nil {
			t.Errorf("%s: %+v, asked %q", name, got, v.asked)
		}
	}
}

func TestErrorsOfAValidatorAreStatuses(t *testing.T) {
	host := field.NewPath("spec", "host")
	invalid, required := field.Invalid(host, "x", "must be a name"), field.Required(host, "")
	gr := schema.GroupResource{Group: "e.com", Resource: "websites"}
	for name, c := range map[string]struct {
		err     error
		code    int32
		reason  metav1.StatusReason
		message string
		causes  int
	}{
		"plain":       {errors.New("I do not like it"), 403, "Forbidden", "I do not like it", 0},
		"status":      {apierrors.NewConflict(gr, "shop", errors.New("too late")), 409, "Conflict", `Operation cannot be fulfilled on websites.e.com "shop": too late`, 0},
		"wrapped":     {fmt.Errorf("so: %w", apierrors.NewNotFound(gr, "shop")), 404, "NotFound", `websites.e.com "shop" not found`, 0},
		"field":       {invalid, 422, "Invalid", `Website.e.com "shop" is invalid: spec.host: Invalid value: "x": must be a name`, 1},
		"list":        {field.ErrorList{invalid, required}.ToAggregate(), 422, "Invalid", `Website.e.com "shop" is invalid: [spec.host: Invalid value: "x": must be a name, spec.host: Required value]`, 2},
		"joined":      {errors.Join(invalid, required), 422, "Invalid", `Website.e.com "shop" is invalid: [spec.host: Invalid value: "x": must be a name, spec.host: Required value]`, 2},
		"more in it":  {errors.Join(invalid, errors.New("and more")), 403, "Forbidden", "spec.host: Invalid value: \"x\": must be a name\nand more", 0},
		"wrapped one": {fmt.Errorf("checking: %w", invalid), 422, "Invalid", `Website.e.com "shop" is invalid: spec.host: Invalid value: "x": must be a name`, 1},
	} {
		got := ask(t, webhook.Validating(&validator{err: c.err, warnings: webhook.Warnings{"careful"}}), "create")
		causes := 0
		if got.Result.Details != nil {
			causes = len(got.Result.Details.Causes)
		}
		if got.Allowed || got.Result.Code != c.code || got.Result.Reason != c.reason || got.Result.Message != c.message || causes != c.causes || len(got.Warnings) != 1 {
			t.Errorf("%s: %+v", name, got.Result)
		}
	}
}

type defaulter func(*Website) error

func (d defaulter) Default(_ context.Context, obj *Website) error { return d(obj) }

// What the type does not know stays, and what it writes of its own accord (replicas: 0) is no change.
func TestDefaulterChangesWhatItChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Website)
		want   string // the patch
	}{
		"nothing":        {func(*Website) {}, ""},
		"a field":        {func(w *Website) { w.Spec.Replicas = 3 }, `[{"op":"add","path":"/spec/replicas","value":3}]`},
		"a new map":      {func(w *Website) { w.Labels = map[string]string{"a/b": "c~d"} }, `[{"op":"add","path":"/metadata/labels","value":{"a/b":"c~d"}}]`},
		"a removal":      {func(w *Website) { w.Name = "" }, `[{"op":"remove","path":"/metadata/name"}]`},
		"in an element":  {func(w *Website) { w.Spec.Ports[0].Name = "http" }, `[{"op":"add","path":"/spec/ports/0/name","value":"http"}]`},
		"an element":     {func(w *Website) { w.Spec.Ports = append(w.Spec.Ports, Port{Port: 8}) }, `[{"op":"add","path":"/spec/ports/2","value":{"port":8}}]`},
		"no elements":    {func(w *Website) { w.Spec.Ports = w.Spec.Ports[1:] }, `[{"op":"remove","path":"/spec/ports/0"}]`},
		"no list at all": {func(w *Website) { w.Spec.Ports = nil }, `[{"op":"remove","path":"/spec/ports"}]`},
	} {
		got := ask(t, webhook.Defaulting(defaulter(func(w *Website) error { c.change(w); return nil })), "create")
		if !got.Allowed || string(got.Patch) != c.want || (c.want == "") != (got.PatchType == nil) {
			t.Errorf("%s: %v %s", name, got.Allowed, got.Patch)
		}
		if got.PatchType != nil && *got.PatchType != admissionv1.PatchTypeJSONPatch {
			t.Errorf("%s: a patch of type %s", name, *got.PatchType)
		}
	}
	failing := webhook.Defaulting(defaulter(func(w *Website) error {
		w.Spec.Replicas = 9
		return field.Invalid(field.NewPath("spec"), nil, "none")
	}))
	if got := ask(t, failing, "create"); got.Allowed || got.Result.Code != 422 || got.Patch != nil {
		t.Errorf("%+v", got)
	}
	if got := ask(t, failing, "delete"); !got.Allowed {
		t.Error("a deletion was defaulted")
	}
}

type anyDefaulter struct{}

func (anyDefaulter) Default(_ context.Context, obj *unstructured.Unstructured) error {
	return unstructured.SetNestedField(obj.Object, "yes", "spec", "unknown", "defaulted")
}

func TestDefaulterOfUnstructuredObjects(t *testing.T) {
	got := ask(t, webhook.Defaulting(anyDefaulter{}), "create")
	if string(got.Patch) != `[{"op":"add","path":"/spec/unknown/defaulted","value":"yes"}]` {
		t.Errorf("%s", got.Patch)
	}
}

func TestRawHandlers(t *testing.T) {
	for name, c := range map[string]struct {
		resp  webhook.Response
		code  int32
		patch string
	}{
		"empty":      {webhook.Response{}, 403, ""},
		"allowed":    {webhook.Allowed("fine"), 200, ""},
		"denied":     {webhook.Denied("no"), 403, ""},
		"errored":    {webhook.Errored(503, errors.New("later")), 503, ""},
		"patched":    {webhook.Patched("", webhook.PatchOperation{Operation: "add", Path: "/a", Value: nil}), 200, `[{"op":"add","path":"/a","value":null}]`},
		"from raw":   {webhook.PatchResponseFromRaw([]byte(`{"a":1,"b":2}`), []byte(`{"a":1,"c":3}`)), 200, `[{"op":"remove","path":"/b"},{"op":"add","path":"/c","value":3}]`},
		"bad raw":    {webhook.PatchResponseFromRaw([]byte(`{`), []byte(`{}`)), 500, ""},
		"no patch":   {webhook.Patched("", webhook.PatchOperation{Operation: "add", Path: "/a", Value: func() {}}), 500, ""},
		"own status": {webhook.Response{AdmissionResponse: admissionv1.AdmissionResponse{Allowed: true, Patch: []byte(`[]`)}}, 200, `[]`},
	} {
		got := ask(t, webhook.HandlerFunc(func(context.Context, webhook.Request) webhook.Response { return c.resp }), "create")
		if got.Result.Code != c.code || got.Allowed != (c.code == 200) || string(got.Patch) != c.patch {
			t.Errorf("%s: %+v %s", name, got, got.Patch)
		}
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	got := ask(t, webhook.HandlerFunc(func(context.Context, webhook.Request) webhook.Response { panic("oh") }), "create")
	if got.Allowed || got.Result.Code != 500 || got.Result.Message != "panic: oh [recovered]" {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNoAdmissionReview(t *testing.T) {
	h := webhook.AdmissionHandler(webhook.HandlerFunc(func(context.Context, webhook.Request) webhook.Response {
		t.Error("called")
		return webhook.Allowed("")
	}), logr.Discard())
	notReviews(t, h, webhook.MaxAdmissionBytes, "AdmissionReview", "admission.k8s.io")
	// An object that cannot be decoded is the request's fault, and told of in a review.
	broken := bytes.Replace(body(t, "create"), []byte(`"shop.example.com"`), []byte(`17`), 1)
	w := post(webhook.AdmissionHandler(webhook.Validating(&validator{}), logr.Discard()), broken)
	var out admissionv1.AdmissionReview
	ok(t, json.Unmarshal(w.Body.Bytes(), &out))
	if out.Response.UID != "705ab4f5-6393-11e8-b7cc-42010a800002" || out.Response.Allowed || out.Response.Result.Code != 400 {
		t.Errorf("%s", w.Body)
	}
}

// notReviews sends what is no review of a kind, to which the answers are Statuses.
func notReviews(t *testing.T, h http.Handler, limit int, kind, group string) {
	t.Helper()
	notReviewsBut(t, h, "", limit, kind, group)
}

func notReviewsBut(t *testing.T, h http.Handler, left string, limit int, kind, group string) {
	t.Helper()
	head := `{"kind":"` + kind + `","apiVersion":"` + group + `/v1"`
	for name, c := range map[string]struct {
		method, media, body string
		code                int
	}{
		"GET":           {"GET", "application/json", head + `}`, 405},
		"no type":       {"POST", "", head + `}`, 415},
		"other type":    {"POST", "application/yaml", head + `}`, 415},
		"charset":       {"POST", "application/json; charset=utf-8", head + `}`, 400}, // read, but there is no request
		"empty":         {"POST", "application/json", ``, 400},
		"no JSON":       {"POST", "application/json", `hello`, 400},
		"other kind":    {"POST", "application/json", `{"kind":"Pod","apiVersion":"` + group + `/v1","request":{"uid":"a"}}`, 400},
		"other group":   {"POST", "application/json", `{"kind":"` + kind + `","apiVersion":"x/v1","request":{"uid":"a"}}`, 400},
		"other version": {"POST", "application/json", `{"kind":"` + kind + `","apiVersion":"` + group + `/v2","request":{"uid":"a"}}`, 400},
		"no request":    {"POST", "application/json", head + `}`, 400},
		"too large":     {"POST", "application/json", head + `,"request":{"uid":"` + strings.Repeat("a", limit) + `"}}`, 413},
	} {
		if name == left {
			continue
		}
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var status metav1.Status
		if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || w.Code != c.code || status.Kind != "Status" || int(status.Code) != c.code ||
			status.Status != metav1.StatusFailure || status.Message == "" || status.Reason == "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// A patch, applied by the library that kube-apiserver applies it with, makes of one object the other.
func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,2,3],"c/d~e":null}}`), []byte(`{"a":{"b":[2,null,4,5],"c/d~e":{"x":1}},"n":[null]}`))
	f.Add([]byte(`{"a":[{"x":null},[1],null,3]}`), []byte(`{"a":[{"x":[]},[],1],"":{"":1}}`))
	f.Fuzz(func(t *testing.T, from, to []byte) {
		patch, err := webhook.Diff(from, to)
		if err != nil {
			return
		}
		checkPatch(t, from, to, patch)
	})
}

func checkPatch(t *testing.T, from, to []byte, patch []webhook.PatchOperation) {
	t.Helper()
	data, err := json.Marshal(patch)
	ok(t, err)
	if patch == nil {
		data = []byte(`[]`)
	}
	p, err := jsonpatch.DecodePatch(data)
	ok(t, err)
	got, err := p.Apply(canonical(t, from))
	if err != nil {
		t.Fatalf("%s to %s by %s: %v", from, to, data, err)
	}
	if a, b := canonical(t, got), canonical(t, to); !bytes.Equal(a, b) {
		t.Fatalf("%s by %s is %s, want %s", from, data, a, b)
	}
}

func canonical(t *testing.T, data []byte) []byte {
	t.Helper()
	u := map[string]any{}
	ok(t, json.Unmarshal(data, &u))
	out, err := json.Marshal(u)
	ok(t, err)
	return out
}

// Whatever a defaulter makes of an object, the type reads of the patched original, and what it does not know is there still.
func FuzzDefaulting(f *testing.F) {
	f.Add([]byte(`{"spec":{"host":"a","x":{"y":1},"ports":[{"port":1,"z":2},null,{"port":3}]},"k":[1]}`), []byte(`{"replicas":2,"ports":[{"port":1},{"port":4}]}`))
	f.Add([]byte(`{"spec":null,"metadata":null}`), []byte(`{"aliases":["a",""],"ports":[{}]}`))
	f.Add([]byte(`{"spec":{"aliases":["a","b","c"],"ports":[]}}`), []byte(`{"host":"b","aliases":["c"]}`))
	f.Fuzz(func(t *testing.T, raw, spec []byte) {
		var made Website
		if utiljson.Unmarshal(spec, &made.Spec) != nil {
			return
		}
		h := webhook.Defaulting(defaulter(func(w *Website) error {
			w.Spec = made.Spec
			made = *w
			return nil
		}))
		resp := h.Handle(t.Context(), webhook.Request{AdmissionRequest: admissionv1.AdmissionRequest{Operation: admissionv1.Create, Object: kruntime.RawExtension{Raw: raw}}})
		if !resp.Allowed {
			return
		}
		patch, err := json.Marshal(append([]webhook.PatchOperation{}, resp.Patches...))
		ok(t, err)
		p, err := jsonpatch.DecodePatch(patch)
		ok(t, err)
		var clean, was, is map[string]any // names that come twice are read in different ways by different libraries
		ok(t, utiljson.Unmarshal(raw, &clean))
		raw, err = json.Marshal(clean)
		ok(t, err)
		got, err := p.Apply(raw)
		if err != nil {
			t.Fatalf("%s by %s: %v", raw, patch, err)
		}
		var read Website
		ok(t, utiljson.Unmarshal(got, &read))
		if a, b := reread(t, &read), reread(t, &made); a != b {
			t.Fatalf("%s by %s is %s, want %s", raw, patch, a, b)
		}
		ok(t, utiljson.Unmarshal(raw, &was))
		ok(t, utiljson.Unmarshal(got, &is))
		if !reflect.DeepEqual(was["k"], is["k"]) {
			t.Fatalf("%s by %s lost what the type does not know", raw, patch)
		}
	})
}

// reread is an object as it is after it has been sent once, when an empty list is none.
func reread(t *testing.T, w *Website) string {
	t.Helper()
	data, err := json.Marshal(copied(w))
	ok(t, err)
	return string(data)
}

// Whatever comes, the answer is a review with the uid that came, or a Status.
func FuzzAdmissionReview(f *testing.F) {
	for _, operation := range []string{"CREATE", "UPDATE", "DELETE", "CONNECT"} { // short, or Go spends its time making them so
		f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a","operation":"` + operation +
			`","object":{"spec":{"ports":[{"a":1}]}},"oldObject":{}}}`))
	}
	handlers := []http.Handler{
		webhook.AdmissionHandler(webhook.Validating(&validator{}), logr.Discard()),
		webhook.AdmissionHandler(webhook.Defaulting(defaulter(func(w *Website) error { w.Spec.Replicas++; w.Spec.Ports = nil; return nil })), logr.Discard()),
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, h := range handlers {
			w := post(h, sent)
			if w.Code != http.StatusOK {
				var status metav1.Status
				if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || int(status.Code) != w.Code {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				continue
			}
			var in, out admissionv1.AdmissionReview
			ok(t, utiljson.Unmarshal(sent, &in)) // which, other than Go's, minds the case of names
			ok(t, json.Unmarshal(w.Body.Bytes(), &out))
			if out.Response == nil || out.Response.UID != in.Request.UID || out.Response.Result.Code == 500 {
				t.Fatalf("%s", w.Body)
			}
			if len(out.Response.Patch) > 0 {
				p, err := jsonpatch.DecodePatch(out.Response.Patch)
				ok(t, err)
				if _, err := p.Apply(in.Request.Object.Raw); err != nil {
					t.Fatalf("%s does not apply to %s: %v", out.Response.Patch, in.Request.Object.Raw, err)
				}
			}
		}
	})
}
