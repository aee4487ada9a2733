package apiserver_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// websites is a CRD in a group of its own.
func websites(group string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: websites.` + group + `}
spec:
  group: ` + group + `
  scope: Namespaced
  names: {plural: websites, kind: Website, shortNames: [web], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}}
    additionalPrinterColumns:
    - {name: Host, type: string, jsonPath: .spec.host}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    selectableFields: [{jsonPath: .spec.host}]
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [host]
            properties:
              host: {type: string, minLength: 3}
              replicas: {type: integer, minimum: 0, default: 2}
              port: {x-kubernetes-int-or-string: true}
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status:
            type: object
            properties:
              replicas: {type: integer}
              selector: {type: string}
              conditions: {type: array, items: {type: object, properties: {type: {type: string}, status: {type: string}}}}
  - name: v2
    served: true
    storage: false
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
`
}

var _ = Describe("A custom kind", func() {
	var group, path string
	BeforeEach(func() {
		group = unique("sites") + ".example.com"
		path = "/apis/" + group + "/v1/namespaces/default/websites"
	})
	define := func() answer {
		GinkgoHelper()
		return send("POST", crds, websites(group)).ok(201)
	}
	website := func(name, spec string) string {
		return `{"apiVersion":"` + group + `/v1","kind":"Website","metadata":{"name":"` + name + `"},"spec":` + spec + `}`
	}

	It("is served before its creation is answered", func() {
		for i := range 20 {
			group = fmt.Sprintf("at-once-%d.example.com", i)
			define()
			send("POST", "/apis/"+group+"/v1/namespaces/default/websites", website("a", `{"host":"a.com"}`)).ok(201)
			Expect(get("/apis/" + group + "/v1").ok(200).at("resources").([]any)).To(HaveLen(3))
		}
	})

	It("is established in the same write", func() {
		a := define()
		Expect(a.at("status", "acceptedNames", "singular")).To(Equal("website"))
		Expect(a.at("status", "storedVersions")).To(Equal([]any{"v1"}))
		conditions := fmt.Sprint(a.at("status", "conditions"))
		Expect(conditions).To(ContainSubstring("NamesAccepted"))
		Expect(conditions).To(ContainSubstring("Established"))
		Expect(a.at("metadata", "generation")).To(BeEquivalentTo(1))
	})

	It("defaults, prunes and validates its objects", func() {
		define()
		a := send("POST", path, website("a", `{"host":"a.com","nope":1,"extra":{"any":{"thing":true}},"port":"http"}`)).ok(201)
		Expect(a.at("spec")).To(Equal(map[string]any{"host": "a.com", "replicas": 2.0, "port": "http", "extra": map[string]any{"any": map[string]any{"thing": true}}}))
		Expect(a.header.Values("Warning")).To(ConsistOf(`299 - "unknown field \"spec.nope\""`))
		send("POST", path+"?fieldValidation=Strict", website("b", `{"host":"a.com","nope":1}`)).
			status(400, "BadRequest", `Website in version "v1" cannot be handled as a Website: strict decoding error: unknown field "spec.nope"`)
		b := send("POST", path, website("b", `{"host":"a","replicas":-1}`))
		b.status(422, "Invalid", `Website.`+group+` "b" is invalid:`)
		Expect(b.body).To(ContainSubstring(`spec.replicas in body should be greater than or equal to 0`))
		Expect(b.body).To(ContainSubstring(`spec.host in body should be at least 3 chars long`))
		send("POST", path, website("b", `{"host":7}`)).status(422, "Invalid", `spec.host: Invalid value: "integer": spec.host in body must be of type string: "integer"`)
		send("POST", path, website("b", `{}`)).status(422, "Invalid", `spec.host: Required value`)
		send("POST", path, `{"apiVersion":"`+group+`/v1","kind":"Other","metadata":{"name":"b"}}`).status(422, "Invalid", "kind: Invalid value")
		get(path+"/b").status(404, "NotFound", `websites.`+group+` "b" not found`)
		c := send("PATCH", path+"/a?fieldValidation=Strict", `{"spec":{"nope":1}}`, merge)
		c.status(422, "Invalid", `patch: Invalid value: "{\"apiVersion\":\"`+group+`/v1\",\"kind\":\"Website\",`)
		Expect(c.at("message")).To(HaveSuffix(`\"nope\":1,\"port\":\"http\",\"replicas\":2}}": strict decoding error: unknown field "spec.nope"`))
		send("PATCH", path+"/none", `[{"op":"odd"}]`, "Content-Type: application/json-patch+json").status(404, "NotFound", "")
		send("PATCH", path+"/a", `[{"op":"odd"}]`, "Content-Type: application/json-patch+json").status(422, "Invalid", "the server rejected our request due to an error in our request")
	})

	It("keeps spec and status apart and counts generations", func() {
		define()
		a := send("POST", path, `{"apiVersion":"`+group+`/v1","kind":"Website","metadata":{"name":"a"},"spec":{"host":"a.com"},"status":{"replicas":9}}`).ok(201)
		Expect(a.at("status")).To(BeNil())
		Expect(a.at("metadata", "generation")).To(BeEquivalentTo(1))
		b := send("PATCH", path+"/a/status", `{"spec":{"host":"b.com"},"status":{"replicas":3}}`, merge).ok(200)
		Expect(b.at("status", "replicas")).To(BeEquivalentTo(3))
		Expect(b.at("spec", "host")).To(Equal("a.com"))
		Expect(b.at("metadata", "generation")).To(BeEquivalentTo(1))
		c := send("PATCH", path+"/a", `{"spec":{"host":"c.com"},"status":{"replicas":7}}`, merge).ok(200)
		Expect(c.at("status", "replicas")).To(BeEquivalentTo(3))
		Expect(c.at("metadata", "generation")).To(BeEquivalentTo(2))
		send("PUT", path+"/a", website("a", `{"host":"d.com"}`)).status(422, "Invalid", "metadata.resourceVersion: Invalid value: 0: must be specified for an update")
		send("PATCH", path+"/a", `{}`, "Content-Type: application/strategic-merge-patch+json").status(415, "UnsupportedMediaType", "application/merge-patch+json")
	})

	It("is scaled", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com"}`)).ok(201)
		send("PATCH", path+"/a/status", `{"status":{"replicas":1,"selector":"app=a"}}`, merge).ok(200)
		s := get(path + "/a/scale").ok(200)
		Expect(s.at("kind")).To(Equal("Scale"))
		Expect(s.at("spec", "replicas")).To(BeEquivalentTo(2))
		Expect(s.at("status")).To(Equal(map[string]any{"replicas": 1.0, "selector": "app=a"}))
		send("PATCH", path+"/a/scale", `{"spec":{"replicas":5}}`, merge).ok(200)
		Expect(get(path+"/a").ok(200).at("spec", "replicas")).To(BeEquivalentTo(5))
		send("PUT", path+"/a/scale", `{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"a"},"spec":{"replicas":-1}}`).status(422, "Invalid", ".spec.replicas: Invalid value: -1: should be a non-negative integer")
	})

	It("has no Scale before it has replicas", func() { // as kube-apiserver 1.37.2 says it
		group := unique("scaled") + ".example.com"
		send("POST", crds, `{"metadata":{"name":"ys.`+group+`"},"spec":{"group":"`+group+`","scope":"Cluster","names":{"plural":"ys","kind":"Y"},
			"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
			"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}}}]}}`).ok(201)
		ys := "/apis/" + group + "/v1/ys"
		send("POST", ys, `{"apiVersion":"`+group+`/v1","kind":"Y","metadata":{"name":"a"}}`).ok(201)
		get(ys+"/a/scale").status(500, "InternalError", `Internal error occurred: the spec replicas field ".spec.replicas" does not exist`)
		send("PATCH", ys+"/a/scale", `{"spec":{"replicas":5}}`, merge).ok(200)
		Expect(get(ys+"/a/scale").ok(200).at("spec", "replicas")).To(BeEquivalentTo(5))
		Expect(get(ys + "/a").body).NotTo(MatchRegexp(`"subresource":"scale","time"`))
	})

	It("has columns, selectable fields and two versions", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com"}`)).ok(201)
		send("POST", path, website("b", `{"host":"b.com"}`)).ok(201)
		send("PATCH", path+"/a/status", `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, merge).ok(200)
		t := get(path, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io").ok(200)
		rows := t.at("rows").([]any)
		Expect(rows[0].(map[string]any)["cells"]).To(Equal([]any{"a", "a.com", 2.0, "True"}))
		Expect(rows[1].(map[string]any)["cells"]).To(Equal([]any{"b", "b.com", 2.0, nil}))
		Expect(get(path + "?fieldSelector=spec.host%3Db.com").ok(200).at("items")).To(HaveLen(1))
		v2 := get("/apis/" + group + "/v2/namespaces/default/websites/a").ok(200)
		Expect(v2.at("apiVersion")).To(Equal(group + "/v2"))
		l := get("/apis/" + group + "/v2/websites").ok(200)
		Expect(l.at("items").([]any)[0]).To(HaveKeyWithValue("apiVersion", group+"/v2"))
	})

	It("goes with its CustomResourceDefinition, finalizers honoured", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com"}`)).ok(201)
		send("POST", path, `{"apiVersion":"`+group+`/v1","kind":"Website","metadata":{"name":"held","finalizers":["example.com/hold"]},"spec":{"host":"a.com"}}`).ok(201)
		w := watch(path + "?watch=true")
		w.next()
		w.next()
		send("DELETE", crds+"/websites."+group, "").ok(200)
		Expect(w.next().String()).To(HaveSuffix("a"))
		Eventually(func() string { return get(path).body }).ShouldNot(ContainSubstring(`"name":"a"`))
		send("POST", path, website("new", `{"host":"a.com"}`)).status(403, "Forbidden", `websites.`+group+` "new" is forbidden: create not allowed while custom resource definition is terminating`)
		send("PATCH", path+"/held", `{"metadata":{"finalizers":null}}`, merge).ok(200)
		Eventually(func() int { return get(crds + "/websites." + group).code }).Should(Equal(404))
		Expect(get(path).code).To(Equal(404))
		define() // and may come back
		Expect(get(path).ok(200).at("items")).To(BeEmpty())
	})

	It("answers in the small as Kubernetes does", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com"}`)).ok(201)
		get(path+"/a/rebuild").status(404, "NotFound", `websites.`+group+` "a" not found`) // no such subresource
		Expect(get(path).ok(200).at("metadata")).To(HaveKeyWithValue("continue", ""))
		table := get(path+"?includeObject=None", "Accept: application/json;as=Table;v=v1;g=meta.k8s.io").ok(200)
		Expect(table.at("rows").([]any)[0]).To(HaveKeyWithValue("object", BeNil()))
		Expect(table.at("metadata")).NotTo(HaveKey("continue"))
	})

	It("is refused where it cannot be", func() {
		bad := func(change, message string) {
			GinkgoHelper()
			send("POST", crds, change).status(422, "Invalid", message)
		}
		bad(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"a.b"},"spec":{"group":"b.example.com","scope":"Odd","names":{"plural":"a","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}`,
			`metadata.name: Invalid value: "a.b": must be spec.names.plural+"."+spec.group`)
		bad(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"as.b.example.com"},"spec":{"group":"b.example.com","scope":"Cluster","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"properties":{"a":{}}}}}}}]}}`,
			`spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields`)
		send("POST", crds, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"a"},"spec":{"versions":3}}`).status(400, "BadRequest", "cannot be handled as a CustomResourceDefinition")
	})

	It("loses a conflict of names", func() {
		define()
		a := send("POST", crds, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"webs.`+group+`"},"spec":{"group":"`+group+`","scope":"Namespaced","names":{"plural":"webs","kind":"Website"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}`).ok(201)
		Expect(fmt.Sprint(a.at("status", "conditions"))).To(ContainSubstring("KindConflict"))
		Expect(get("/apis/" + group + "/v1/namespaces/default/webs").code).To(Equal(404))
		send("DELETE", crds+"/websites."+group, "").ok(200)
		Eventually(func() int { return get("/apis/" + group + "/v1/namespaces/default/webs").code }).Should(Equal(200))
	})

	It("takes a new schema from the next request on", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com","replicas":3}`)).ok(201)
		send("PATCH", crds+"/websites."+group, `[{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/replicas/minimum","value":5},{"op":"replace","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/replicas/default","value":6}]`, "Content-Type: application/json-patch+json").ok(200)
		send("POST", path, website("b", `{"host":"a.com","replicas":3}`)).status(422, "Invalid", "should be greater than or equal to 5")
	})

	It("lets an object keep what a stricter schema forbids", func() {
		define()
		send("POST", path, website("a", `{"host":"a.com","replicas":3}`)).ok(201)
		schema := "/spec/versions/0/schema/openAPIV3Schema"
		send("PATCH", crds+"/websites."+group, `[
			{"op":"replace","path":"`+schema+`/properties/spec/properties/host/minLength","value":8},
			{"op":"add","path":"`+schema+`/properties/spec/required/-","value":"owner"},
			{"op":"add","path":"`+schema+`/properties/spec/properties/owner","value":{"type":"string"}},
			{"op":"add","path":"`+schema+`/properties/status/properties/replicas/maximum","value":5}]`, "Content-Type: application/json-patch+json").ok(200)

		By("in a write beside it")
		send("PATCH", path+"/a", `{"metadata":{"labels":{"x":"y"}}}`, merge).ok(200)
		send("PATCH", path+"/a", `{"spec":{"replicas":4}}`, merge).status(422, "Invalid", "is invalid: spec.owner: Required value")
		send("PATCH", path+"/a", `{"spec":{"replicas":4,"owner":"me"}}`, merge).ok(200)
		send("PATCH", path+"/a", `{"spec":{"host":"b.com"}}`, merge).status(422, "Invalid", "spec.host in body should be at least 8 chars long")

		By("in a write to its status, which is all that is looked at then")
		send("PATCH", path+"/a", `{"spec":{"owner":null}}`, merge).status(422, "Invalid", "spec.owner: Required value")
		send("PATCH", path+"/a/status", `{"status":{"replicas":5}}`, merge).ok(200)
		send("PATCH", path+"/a/status", `{"status":{"replicas":6}}`, merge).
			status(422, "Invalid", `status.replicas: Invalid value: 6: replicas in body should be less than or equal to 5`)
	})
})
