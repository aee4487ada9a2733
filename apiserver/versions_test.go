package apiserver_test

import (
	"encoding/json"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// versioned is a kind of two versions: v1 has spec.host, v2 spec.hostname, and each a default of its own.
type versioned struct{ group, crd string }

func newVersioned(conversion string) *versioned {
	GinkgoHelper()
	v := &versioned{group: unique("versions") + ".example.com"}
	v.crd = crds + "/websites." + v.group
	version := func(name, field string, storage bool) string {
		return fmt.Sprintf(`{"name":"%s","served":true,"storage":%t,"selectableFields":[{"jsonPath":".spec.%[3]s"}],
			"additionalPrinterColumns":[{"name":"Where","type":"string","jsonPath":".spec.%[3]s"}],
			"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{
			"%[3]s":{"type":"string"},"d%[3]s":{"type":"string","default":"%[3]s"}}}}}}}`, name, storage, field)
	}
	send("POST", crds, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"websites.`+v.group+`"},
		"spec":{"group":"`+v.group+`","scope":"Namespaced","names":{"plural":"websites","kind":"Website"},"conversion":`+conversion+`,
		"versions":[`+version("v1", "host", true)+`,`+version("v2", "hostname", false)+`]}}`).ok(201)
	return v
}

func (v *versioned) path(version, name string) string {
	return strings.TrimSuffix("/apis/"+v.group+"/"+version+"/namespaces/default/websites/"+name, "/")
}

func (v *versioned) object(version, name, spec string) string {
	return `{"apiVersion":"` + v.group + `/` + version + `","kind":"Website","metadata":{"name":"` + name + `"},"spec":` + spec + `}`
}

func (v *versioned) create(version, name, spec string) answer {
	GinkgoHelper()
	return send("POST", v.path(version, ""), v.object(version, name, spec))
}

func (v *versioned) patchCRD(patch string) {
	GinkgoHelper()
	send("PATCH", v.crd, patch, "Content-Type: application/json-patch+json").ok(200)
}

// storeIn makes a version the one that is stored from now on.
func (v *versioned) storeIn(version string) {
	GinkgoHelper()
	v.patchCRD(fmt.Sprintf(`[{"op":"replace","path":"/spec/versions/0/storage","value":%t},{"op":"replace","path":"/spec/versions/1/storage","value":%t}]`,
		version == "v1", version == "v2"))
}

func (v *versioned) spec(a answer) map[string]any {
	GinkgoHelper()
	spec, _ := a.ok(200).at("spec").(map[string]any)
	return spec
}

const (
	asTable    = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"
	asMetadata = "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
	asMetaList = "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
)

// The expectations are what kube-apiserver 1.37.2 answered to the same requests.
var _ = Describe("Versions of a custom kind", func() {
	var v *versioned
	Context("without conversion", func() {
		BeforeEach(func() { v = newVersioned(`{"strategy":"None"}`) })

		It("show what both know", func() {
			Expect(v.create("v1", "a", `{"host":"a.com"}`).ok(201).at("spec")).To(Equal(map[string]any{"host": "a.com", "dhost": "host"}))
			Expect(v.create("v2", "b", `{"hostname":"b.com"}`).ok(201).at("spec")).To(BeEmpty())
			Expect(v.spec(get(v.path("v1", "b")))).To(Equal(map[string]any{"dhost": "host"}))
			Expect(v.spec(get(v.path("v2", "a")))).To(BeEmpty())
			l := get(v.path("v2", "")).ok(200)
			Expect(l.at("items").([]any)[0]).To(HaveKeyWithValue("apiVersion", v.group+"/v2"))
			Expect(l.at("items").([]any)[0]).To(HaveKeyWithValue("spec", BeEmpty()))
			w := watch(v.path("v2", "") + "?watch=true")
			Expect(w.next().Object).To(HaveKeyWithValue("spec", BeEmpty()))
			w.next()
			p := send("PATCH", v.path("v2", "b"), `{"spec":{"hostname":"c"}}`, merge).ok(200)
			Expect(p.at("spec")).To(BeEmpty())
			Expect(p.at("metadata", "generation")).To(BeEquivalentTo(2))
			Expect(v.spec(get(v.path("v1", "b")))).To(Equal(map[string]any{"dhost": "host"}))
			Expect(w.next().Object).To(HaveKeyWithValue("apiVersion", v.group+"/v2"))
			Expect(get(v.path("v2", ""), asTable).ok(200).at("rows").([]any)[0]).To(HaveKeyWithValue("cells", Equal([]any{"a", nil})))
		})

		It("leave defaults to whoever left a field out", func() {
			owners := func(a answer) string {
				GinkgoHelper()
				fields := map[string]string{}
				for _, m := range a.ok(a.code).at("metadata", "managedFields").([]any) {
					m := m.(map[string]any)
					fields[m["manager"].(string)] = encode(m["fieldsV1"].(map[string]any))
				}
				return fmt.Sprint(fields)
			}
			send("POST", v.path("v1", "")+"?fieldManager=x", v.object("v1", "a", `{"host":"a","dhost":"mine"}`)).ok(201)
			o := get(v.path("v1", "a")).ok(200).object
			o["spec"] = map[string]any{"host": "a"}
			Expect(owners(send("PUT", v.path("v1", "a")+"?fieldManager=y", encode(o)))).To(Equal(`map[x:{"f:spec":{".":{},"f:host":{}}} y:{"f:spec":{"f:dhost":{}}}]`))
			send("PATCH", v.path("v1", "a")+"?fieldManager=x", `{"spec":{"dhost":"mine"}}`, merge).ok(200)
			Expect(owners(send("PATCH", v.path("v1", "a")+"?fieldManager=z", `{"spec":{"dhost":null}}`, merge))).To(Equal(`map[x:{"f:spec":{".":{},"f:host":{}}} z:{"f:spec":{"f:dhost":{}}}]`))
		})

		It("select by their own fields", func() {
			v.create("v1", "a", `{"host":"a.com"}`).ok(201)
			Expect(get(v.path("v1", "") + "?fieldSelector=spec.host%3Da.com").ok(200).at("items")).To(HaveLen(1))
			get(v.path("v2", "")+"?fieldSelector=spec.host%3Da.com").status(400, "BadRequest", "field label not supported: spec.host")
		})

		It("read what an earlier storage version left", func() {
			v.create("v1", "a", `{"host":"a.com"}`).ok(201)
			v.create("v1", "b", `{"host":"b.com"}`).ok(201)
			before := get(v.path("v1", "a")).ok(200)
			v.storeIn("v2")
			Expect(get(v.crd).at("status", "storedVersions")).To(Equal([]any{"v1", "v2"}))

			Expect(get(v.path("v1", "a")).object).To(Equal(before.object))
			Expect(v.spec(get(v.path("v2", "a")))).To(BeEmpty())
			for version, where := range map[string]any{"v1": "a.com", "v2": nil} {
				l := get(v.path(version, "")).ok(200).at("items").([]any)
				Expect(l).To(HaveLen(2))
				Expect(l[0]).To(HaveKeyWithValue("apiVersion", v.group+"/"+version))
				Expect(get(v.path(version, ""), asTable).ok(200).at("rows").([]any)[0]).To(HaveKeyWithValue("cells", Equal([]any{"a", where})))
				Expect(get(v.path(version, ""), asMetaList).ok(200).at("items")).To(HaveLen(2))
				Expect(get(v.path(version, "a"), asMetadata).ok(200).at("metadata")).To(Equal(before.at("metadata")))
				w := watch(v.path(version, "") + "?watch=true")
				Expect(w.next().Object).To(Equal(get(v.path(version, "a")).object))
				w.stop()
			}
			Expect(get(v.path("v1", "") + "?fieldSelector=spec.host%3Da.com").ok(200).at("items")).To(HaveLen(1))

			// A write that changes nothing moves the object into the new storage version, which does not know the host.
			p := send("PATCH", v.path("v1", "a"), `{}`, merge).ok(200)
			Expect(p.at("metadata", "resourceVersion")).NotTo(Equal(before.at("metadata", "resourceVersion")))
			Expect(p.at("spec")).To(BeEmpty())
			Expect(v.spec(get(v.path("v2", "a")))).To(Equal(map[string]any{"dhostname": "hostname"}))
			// In v1 it lacks a default now, which each write fills in, and v2 drops again.
			Expect(send("PATCH", v.path("v1", "a"), `{}`, merge).ok(200).at("metadata", "generation")).To(BeEquivalentTo(2))
			stays := send("PATCH", v.path("v2", "a"), `{}`, merge).ok(200)
			Expect(send("PATCH", v.path("v2", "a"), `{}`, merge).object).To(Equal(stays.object))

			send("DELETE", v.path("v2", "b"), "").ok(200)
			get(v.path("v1", "b")).status(404, "NotFound", "")
			d := send("DELETE", v.path("v1", ""), "").ok(200)
			Expect(d.at("items").([]any)[0]).To(HaveKeyWithValue("apiVersion", v.group+"/v1"))
		})

		It("show a changed schema from the next request on", func() {
			v.create("v1", "d", `{"host":"d.com"}`).ok(201)
			w := watch(v.path("v1", "") + "?watch=true")
			w.next()
			v.patchCRD(`[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later","value":{"type":"string","default":"L"}},
				{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/dhost"}]`)
			want := map[string]any{"host": "d.com", "later": "L"}
			a := get(v.path("v1", "d"))
			Expect(v.spec(a)).To(Equal(want))
			Expect(get(v.path("v1", "")).ok(200).at("items").([]any)[0]).To(HaveKeyWithValue("spec", want))
			Expect(v.spec(get(v.path("v2", "d")))).To(BeEmpty())
			p := send("PATCH", v.path("v1", "d"), `{}`, merge)
			Expect(v.spec(p)).To(Equal(want))
			Expect(p.at("metadata", "generation")).To(BeEquivalentTo(1))
			Expect(p.at("metadata", "resourceVersion")).NotTo(Equal(a.at("metadata", "resourceVersion")))
		})

		// Another server on the same store learns of the change by its watch; one that starts later knows only that the
		// definition was written after the object.
		It("show a changed schema on other servers, too", func() {
			store := memory.New(memory.Options{})
			DeferCleanup(store.Close)
			first := apiservertest.Start(GinkgoTB(), apiservertest.Options{Store: store})
			other := apiservertest.Start(GinkgoTB(), apiservertest.Options{Store: store})
			g := NewWithT(GinkgoTB())
			definition := send("GET", v.crd, "").ok(200).object
			definition["metadata"] = map[string]any{"name": "websites." + v.group}
			Expect(sendTo(g, first, "POST", crds, encode(definition)).code).To(Equal(201))
			Expect(sendTo(g, first, "POST", v.path("v1", ""), v.object("v1", "a", `{"host":"a.com"}`)).code).To(Equal(201))
			Eventually(func() int { return sendTo(g, other, "GET", v.path("v1", "a"), "").code }).Should(Equal(200))
			Expect(sendTo(g, first, "PATCH", v.crd, `[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later","value":{"type":"string","default":"L"}},
				{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}]`, "Content-Type: application/json-patch+json").code).To(Equal(200))
			want := map[string]any{"host": "a.com", "dhost": "host", "later": "L"}
			Expect(sendTo(g, first, "GET", v.path("v1", "a"), "").at("spec")).To(Equal(want))
			Eventually(func() any { return sendTo(g, other, "GET", v.path("v1", "a"), "").at("spec") }).Should(Equal(want))
			late := apiservertest.Start(GinkgoTB(), apiservertest.Options{Store: store})
			Expect(sendTo(g, late, "GET", v.path("v1", "a"), "").at("spec")).To(Equal(want))
			Expect(sendTo(g, late, "GET", v.path("v2", "a"), "").at("spec")).To(BeEmpty())
		})

		It("tell of objects whose version has gone, and delete them all the same", func() {
			for _, name := range []string{"e", "f", "held"} {
				v.create("v1", name, `{"host":"e.com"}`).ok(201)
			}
			send("PATCH", v.path("v1", "held"), `{"metadata":{"finalizers":["example.com/hold"]}}`, merge).ok(200)
			v.storeIn("v2")
			send("PATCH", v.crd+"/status", `{"status":{"storedVersions":["v2"]}}`, merge).ok(200)
			v.patchCRD(`[{"op":"remove","path":"/spec/versions/0"}]`)

			why := "request to convert CR from an invalid group/version: " + v.group + "/v1"
			get(v.path("v2", "e")).status(500, "InternalError", "Internal error occurred: StorageError: corrupt object, Code: 7, Key: /"+v.group+
				"/websites/default/e, ResourceVersion: 0, AdditionalErrorMsg: object not decodable revision=")
			get(v.path("v2", "e")).status(500, "InternalError", why)
			l := get(v.path("v2", ""))
			l.status(500, "StorageReadError", "failed to read one or more websites."+v.group+" from the storage: StorageError: corrupt object, Code: 7, Key: /registry/"+
				v.group+"/websites/default/e, ResourceVersion: 0, AdditionalErrorMsg: object not decodable revision=")
			l.status(500, "StorageReadError", why+" (and 2 more)")
			Expect(l.at("details", "kind")).To(Equal("websites"))
			Expect(l.at("details", "causes")).To(HaveLen(3))
			send("PUT", v.path("v2", "e"), v.object("v2", "e", `{}`)).status(500, "", why)
			send("PATCH", v.path("v2", "e"), `{}`, merge).status(500, "", why)
			Expect(get(v.path("v2", ""), asMetaList).ok(200).at("items")).To(HaveLen(3))

			send("DELETE", v.path("v2", "e"), "").ok(200)
			d := send("DELETE", v.path("v2", ""), "").ok(200).at("items").([]any)
			Expect(d).To(HaveLen(2))
			Expect(d[0]).To(HaveKeyWithValue("apiVersion", v.group+"/v2"))
			Expect(d[0]).NotTo(HaveKey("spec"))
			Expect(get(v.path("v2", ""), asMetaList).ok(200).at("items")).To(HaveLen(1))
		})
	})
})

func encode(obj map[string]any) string {
	GinkgoHelper()
	raw, err := json.Marshal(obj)
	Expect(err).NotTo(HaveOccurred())
	return string(raw)
}
