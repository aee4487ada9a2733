package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/runtime/webhook"
)

// WebsiteV2 calls the host hostname, and is the hub.
type WebsiteV2 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Hostname string `json:"hostname"`
	} `json:"spec"`
}

func (w *WebsiteV2) DeepCopyObject() kruntime.Object { return copied(w) }
func (*WebsiteV2) Hub()                              {}

// WebsiteV3 has the host as a list of its labels.
type WebsiteV3 struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Labels []string `json:"labels"`
	} `json:"spec"`
}

func (w *WebsiteV3) DeepCopyObject() kruntime.Object { return copied(w) }

func (w *WebsiteV3) ConvertTo(dst webhook.Hub) error {
	to := dst.(*WebsiteV2)
	to.ObjectMeta, to.Spec.Hostname = w.ObjectMeta, strings.Join(w.Spec.Labels, ".")
	return nil
}

func (w *WebsiteV3) ConvertFrom(src webhook.Hub) error {
	from := src.(*WebsiteV2)
	w.ObjectMeta, w.Spec.Labels = from.ObjectMeta, strings.Split(from.Spec.Hostname, ".")
	return nil
}

// ConvertTo makes Website of v1 Convertible.
func (w *Website) ConvertTo(dst webhook.Hub) error {
	to := dst.(*WebsiteV2)
	to.ObjectMeta, to.Spec.Hostname = w.ObjectMeta, w.Spec.Host
	switch w.Spec.Host {
	case "refused":
		return errors.New("that host cannot be")
	case "panic":
		panic("oh")
	}
	return nil
}

func (w *Website) ConvertFrom(src webhook.Hub) error {
	from := src.(*WebsiteV2)
	w.ObjectMeta, w.Spec.Host = from.ObjectMeta, from.Spec.Hostname
	return nil
}

func scheme() *kruntime.Scheme {
	s := kruntime.NewScheme()
	for version, obj := range map[string]kruntime.Object{"v1": &Website{}, "v2": &WebsiteV2{}, "v3": &WebsiteV3{}} {
		s.AddKnownTypeWithName(schema.GroupVersionKind{Group: "e.com", Version: version, Kind: "Website"}, obj)
	}
	return s
}

var websites = schema.GroupKind{Group: "e.com", Kind: "Website"}

func hubs(t testing.TB) webhook.Converter {
	t.Helper()
	c, err := webhook.Hubs(scheme(), websites)
	ok(t, err)
	return c
}

// rename is the same between v1 and v2, on unstructured objects.
var rename = webhook.ConverterFunc(func(_ context.Context, obj *unstructured.Unstructured, from, to schema.GroupVersionKind) error {
	names := map[string]string{"v1": "host", "v2": "hostname"}
	if names[to.Version] == "" {
		return fmt.Errorf("no way to %s", to.Version)
	}
	host, _, err := unstructured.NestedString(obj.Object, "spec", names[from.Version])
	if host == "panic" {
		panic("oh")
	}
	if host == "refused" {
		return errors.New("that host cannot be")
	}
	obj.Object["spec"] = map[string]any{names[to.Version]: host}
	return err
})

func only(c webhook.Converter) func(schema.GroupKind) webhook.Converter {
	return func(kind schema.GroupKind) webhook.Converter {
		if kind != websites {
			return nil
		}
		return c
	}
}

type conversionAnswer struct {
	metav1.TypeMeta
	Request  any
	Response struct {
		UID              string
		ConvertedObjects []unstructured.Unstructured
		Result           metav1.Status
	}
}

func convert(t testing.TB, c webhook.Converter, review, to string, objects ...string) conversionAnswer {
	t.Helper()
	w := post(webhook.ConversionHandler(only(c), logr.Discard()), fmt.Appendf(nil,
		`{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/%s","request":{"uid":"u\"1","desiredAPIVersion":%q,"objects":[%s]},"response":{"uid":"","convertedObjects":null,"result":{"metadata":{}}}}`,
		review, to, strings.Join(objects, ",")))
	var got conversionAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.Kind != "ConversionReview" || got.Request != nil ||
		got.APIVersion != "apiextensions.k8s.io/"+review || got.Response.UID != `u"1` {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	return got
}

func site(version, spec string) string {
	return `{"apiVersion":"e.com/` + version + `","kind":"Website","metadata":{"name":"shop","namespace":"default","uid":"1-2","labels":{"a":"b"}},"spec":` + spec + `}`
}

func TestConversion(t *testing.T) {
	for name, c := range map[string]webhook.Converter{"hubs": hubs(t), "function": rename} {
		got := convert(t, c, "v1", "e.com/v2", site("v1", `{"host":"a.b"}`), site("v2", `{"hostname":"there","unknown":1}`), site("v1", `{"host":"c"}`))
		if got.Response.Result.Status != metav1.StatusSuccess || len(got.Response.ConvertedObjects) != 3 {
			t.Fatalf("%s: %+v", name, got.Response)
		}
		for i, want := range []string{"a.b", "there", "c"} {
			u := got.Response.ConvertedObjects[i]
			host, _, _ := unstructured.NestedString(u.Object, "spec", "hostname")
			if host != want || u.GetAPIVersion() != "e.com/v2" || u.GetKind() != "Website" || u.GetUID() != "1-2" || u.GetLabels()["a"] != "b" {
				t.Errorf("%s: %v", name, u.Object)
			}
		}
		back := convert(t, c, "v1beta1", "e.com/v1", site("v2", `{"hostname":"a.b"}`)).Response.ConvertedObjects[0]
		if host, _, _ := unstructured.NestedString(back.Object, "spec", "host"); host != "a.b" {
			t.Errorf("%s: back %v", name, back.Object)
		}
	}
	spokes := convert(t, hubs(t), "v1", "e.com/v3", site("v1", `{"host":"a.b"}`)).Response.ConvertedObjects[0]
	if labels, _, _ := unstructured.NestedStringSlice(spokes.Object, "spec", "labels"); len(labels) != 2 || spokes.GetName() != "shop" {
		t.Errorf("from spoke to spoke: %v", spokes.Object)
	}
}

func TestConversionsThatFail(t *testing.T) {
	for name, c := range map[string]webhook.Converter{"hubs": hubs(t), "function": rename} {
		for what, f := range map[string]struct{ to, object, want string }{
			"error":   {"e.com/v2", site("v1", `{"host":"refused"}`), "that host cannot be"},
			"panic":   {"e.com/v2", site("v1", `{"host":"panic"}`), "panic: oh [recovered]"},
			"version": {"e.com/v9", site("v1", `{}`), "v9"},
			"group":   {"f.com/v1", site("v1", `{}`), `it is of group "e.com", and no conversion leads to "f.com"`},
			"kind":    {"e.com/v2", strings.Replace(site("v1", `{}`), "Website", "Other", 1), "there is no converter of its kind"},
			"object":  {"e.com/v2", `7`, "an object that is none"},
			"null":    {"e.com/v2", `null`, "it is of group"},
			"type":    {"e.com/v2", site("v1", `{"host":{}}`), "host"},
		} {
			got := convert(t, c, "v1", f.to, site("v1", `{"host":"good"}`), f.object).Response
			if f.to == "f.com/v1" || what == "version" { // the first fails
				got = convert(t, c, "v1", f.to, f.object).Response
			}
			if got.Result.Status != metav1.StatusFailure || !strings.Contains(got.Result.Message, f.want) || len(got.ConvertedObjects) != 0 {
				t.Errorf("%s, %s: %+v", name, what, got)
			}
		}
	}
}

func TestWhatIsNoConversionReview(t *testing.T) {
	h := webhook.ConversionHandler(only(nil), logr.Discard())
	// The limit is checked at the reader that is shared with admission; a quarter of a gigabyte is not sent for it.
	notReviewsBut(t, h, "too large", 1, "ConversionReview", "apiextensions.k8s.io")
	w := post(h, []byte(`{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"a","desiredAPIVersion":""}}`))
	if w.Code != http.StatusBadRequest {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type plain struct{ Website }

func (p *plain) DeepCopyObject() kruntime.Object { return copied(p) }

// Hub hides that a Website is a spoke.
type secondHub struct{ WebsiteV2 }

func (p *secondHub) DeepCopyObject() kruntime.Object { return copied(p) }

type neither struct{ metav1.PartialObjectMetadata }

func TestHubsOfASchemeThatIsIncomplete(t *testing.T) {
	gvk := schema.GroupVersion{Group: "f.com"}.WithKind("Website")
	for name, c := range map[string]struct {
		types []kruntime.Object
		want  string
	}{
		"one version": {[]kruntime.Object{&WebsiteV2{}}, ""},
		"none":        {nil, ""},
		"plain ones":  {[]kruntime.Object{&neither{}, &metav1.PartialObjectMetadata{}}, ""},
		"no hub":      {[]kruntime.Object{&Website{}, &WebsiteV3{}}, "webhook: no version of Website.f.com is the Hub"},
		"two hubs":    {[]kruntime.Object{&WebsiteV2{}, &secondHub{}}, "webhook: Website.f.com has two hubs, "},
		"a third":     {[]kruntime.Object{&WebsiteV2{}, &plain{}, &neither{}}, "webhook: versions of Website.f.com that are neither Hub nor Convertible: v2"},
	} {
		s := kruntime.NewScheme()
		for i, obj := range c.types {
			gvk.Version = fmt.Sprint("v", i)
			s.AddKnownTypeWithName(gvk, obj)
		}
		got, err := webhook.Hubs(s, gvk.GroupKind())
		if got != nil || (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

// Whatever comes, the answer is a review with the uid that came and as many objects, or a Status.
func FuzzConversionReview(f *testing.F) {
	f.Add([]byte(`{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"a","desiredAPIVersion":"e.com/v2","objects":[` + site("v1", `{"host":"a"}`) + `]}}`))
	handlers := []http.Handler{webhook.ConversionHandler(only(hubs(f)), logr.Discard()), webhook.ConversionHandler(only(rename), logr.Discard())}
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
			var in struct {
				Request struct {
					UID     string            `json:"uid"`
					Objects []json.RawMessage `json:"objects"`
				} `json:"request"`
			}
			var out struct {
				Response struct {
					UID              string
					ConvertedObjects []json.RawMessage
					Result           metav1.Status
				}
			}
			ok(t, utiljson.Unmarshal(sent, &in))
			ok(t, json.Unmarshal(w.Body.Bytes(), &out))
			if out.Response.UID != in.Request.UID {
				t.Fatalf("%s", w.Body)
			}
			if out.Response.Result.Status == metav1.StatusSuccess && len(out.Response.ConvertedObjects) != len(in.Request.Objects) {
				t.Fatalf("%s", w.Body)
			}
		}
	})
}
