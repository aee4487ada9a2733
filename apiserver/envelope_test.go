package apiserver_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// gate is a CRD with two versions and a rule.
func gate(group string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gates.` + group + `}
spec:
  group: ` + group + `
  scope: Cluster
  names: {plural: gates, kind: Gate}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    schema: &schema
      openAPIV3Schema:
        type: object
        x-kubernetes-validations: [{rule: '!has(self.spec) || !has(self.spec.size) || self.spec.size < 9'}]
        properties: {spec: {type: object, properties: {size: {type: integer}}}, status: {type: object, properties: {size: {type: integer}}}}
  - name: v2
    served: true
    storage: false
    schema: *schema
`
}

// What kube-apiserver 1.37.2 answers to objects that are not what their request is about.
var _ = Describe("What a custom object says of itself", Ordered, func() {
	const (
		json = "Content-Type: application/json-patch+json"
		mild = "?fieldValidation=Ignore"
		hard = "?fieldValidation=Strict"
	)
	group := "envelopes.example.com"
	gates := "/apis/" + group + "/v1/gates"
	fill := func(s string) string {
		return strings.NewReplacer("HEAD", `"apiVersion":"`+group+`/v1","kind":"Gate"`, "GROUP", group).Replace(s)
	}
	BeforeAll(func() {
		send("POST", crds, gate(group)).ok(201)
		send("POST", gates, fill(`{HEAD,"metadata":{"name":"a"}}`)).ok(201)
	})
	DescribeTable("is read before it is refused",
		func(query, body string, code int, reason, message string) {
			send("POST", gates+query, fill(body)).status(code, reason, fill(message))
		},
		Entry("a kind of another type", "", `{"apiVersion":"GROUP/v1","kind":5,"metadata":{"name":"b"}}`, 400, "BadRequest", `the object provided is unrecognized (must be of type Gate): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"apiVersion"`),
		Entry("an apiVersion of another type", "", `{"apiVersion":[],"kind":"Gate","metadata":{"name":"b"}}`, 400, "BadRequest", `json: cannot unmarshal array into Go struct field .apiVersion of type string`),
		Entry("no kind", "", `{"apiVersion":"GROUP/v1","metadata":{"name":"b"}}`, 400, "BadRequest", `the object provided is unrecognized (must be of type Gate): Object 'Kind' is missing in '{"apiVersion"`),
		Entry("no kind, mildly", mild, `{"apiVersion":"GROUP/v1","metadata":{"name":"b"}}`, 400, "BadRequest", `Gate in version "v1" cannot be handled as a Gate: Object 'Kind' is missing in '{"apiVersion"`),
		Entry("no version", "", `{"kind":"Gate","metadata":{"name":"b"}}`, 400, "BadRequest", "the API version in the data () does not match the expected API version (GROUP/v1)"),
		Entry("a null version", "", `{"apiVersion":null,"kind":"Gate","metadata":{"name":"b"}}`, 400, "BadRequest", `Gate in version "" cannot be handled as a Gate: .apiVersion accessor error: <nil> is of the type <nil>, expected string`),
		Entry("another version", hard, `{"apiVersion":"GROUP/v2","kind":"Gate","metadata":{"name":"b"},"spec":{"size":1}}`, 400, "BadRequest", "the API version in the data (GROUP/v2) does not match the expected API version (GROUP/v1)"),
		Entry("another version, with something unknown in it", hard, `{"apiVersion":"GROUP/v2","kind":"Gate","metadata":{"name":"b"},"spec":{"o":1}}`, 400, "BadRequest", `Gate in version "v2" cannot be handled as a Gate: strict decoding error: unknown field "spec.o"`),
		Entry("another kind", hard, `{"apiVersion":"GROUP/v1","kind":"Other","metadata":{"name":"b"},"spec":{"o":1}}`, 422, "Invalid", `Other.GROUP "b" is invalid: kind: Invalid value: "Other": must be Gate`),
		Entry("another kind, with something unknown in its metadata", hard, `{"apiVersion":"GROUP/v1","kind":"Other","metadata":{"name":"b","o":1}}`, 400, "BadRequest", `Other in version "v1" cannot be handled as a Other: strict decoding error: unknown field "metadata.o"`),
		Entry("another kind, with metadata that are none", "", `{"apiVersion":"GROUP/v1","kind":"Other","metadata":{"name":"b","creationTimestamp":"yesterday"}}`, 400, "BadRequest", `Other in version "v1" cannot be handled as a Gate: parsing time "yesterday"`),
		Entry("metadata that are none", "", `{HEAD,"metadata":"b"}`, 400, "BadRequest", `Gate in version "v1" cannot be handled as a Gate: json: cannot unmarshal string into Go value of type v1.ObjectMeta`),
		Entry("an unknown field with a quote", hard, `{HEAD,"metadata":{"name":"b"},"spec":{"\"":1}}`, 400, "BadRequest", `unknown field "spec.""`),
		Entry("metadata in which something is missing", "", `{HEAD,"metadata":{"name":"b","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":""}]}}`, 422, "Invalid", `[metadata.ownerReferences[0].uid: Required value: must not be empty, <nil>: Invalid value: null: some validation rules were not checked`),
		Entry("a resourceVersion, and a name that is none", "", `{HEAD,"metadata":{"name":"C","resourceVersion":"1"}}`, 422, "Invalid", `metadata.name: Invalid value: "C"`),
	)
	DescribeTable("is read before it replaces another",
		func(query, body string, code int, reason, message string) {
			send("PUT", gates+"/a"+query, fill(body)).status(code, reason, fill(message))
		},
		Entry("another name, with something unknown", hard, `{HEAD,"metadata":{"name":"b"},"spec":{"o":1}}`, 400, "BadRequest", `strict decoding error: unknown field "spec.o"`),
		Entry("another kind", "", `{"apiVersion":"GROUP/v1","kind":"Other","metadata":{"name":"a"}}`, 422, "Invalid", `gates.GROUP "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`),
		Entry("another uid", "", `{HEAD,"metadata":{"name":"a","uid":"u"}}`, 409, "Conflict", `gates.GROUP "a": StorageError: invalid object, Code: 4, Key: /registry/GROUP/gates/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: `),
		Entry("another uid, dryly", "?dryRun=All", `{HEAD,"metadata":{"name":"a","uid":"u"}}`, 409, "Conflict", `Key: /GROUP/gates/a, `),
		Entry("a resourceVersion that is none", "", `{HEAD,"metadata":{"name":"a","resourceVersion":"x"}}`, 500, "", `strconv.ParseUint: parsing "x": invalid syntax`),
	)
	DescribeTable("may not come out of a patch",
		func(query, body string, code int, reason, message string) {
			media := merge
			if body[0] == '[' {
				media = json
			}
			send("PATCH", gates+"/a"+query, fill(body), media).status(code, reason, fill(message))
		},
		Entry("a kind of another type", "", `{"kind":5}`, 422, "Invalid", `couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string`),
		Entry("no kind", "", `{"kind":null}`, 422, "Invalid", `: Object 'Kind' is missing in '{"apiVersion":"GROUP/v1","metadata":{`),
		Entry("another kind", "", `{"kind":"Other"}`, 422, "Invalid", `Other.GROUP "a" is invalid: kind: Invalid value: "Other": must be Gate`),
		Entry("no version", "", `{"apiVersion":null}`, 500, "InternalError", `Internal error occurred: Object 'apiVersion' is missing in 'object has no apiVersion field'`),
		Entry("a null version", "", `[{"op":"replace","path":"/apiVersion","value":null}]`, 422, "Invalid", `.apiVersion accessor error: <nil> is of the type <nil>, expected string`),
		Entry("another version", "", `{"apiVersion":"example.com/v1"}`, 422, "Invalid", `Gate.example.com "a" is invalid: apiVersion: Invalid value: "example.com/v1": must be GROUP/v1`),
		Entry("metadata that are none", "", `{"metadata":5}`, 422, "Invalid", `json: cannot unmarshal number into Go value of type v1.ObjectMeta`),
		Entry("another uid", "", `{"metadata":{"uid":"u"}}`, 422, "Invalid", `metadata.uid: Invalid value: "u": field is immutable`),
		Entry("a resourceVersion that is none", "", `{"metadata":{"uid":"u","resourceVersion":"x"}}`, 500, "", `strconv.ParseUint: parsing "x": invalid syntax`),
		Entry("a deletionTimestamp", "", `{"metadata":{"deletionTimestamp":"2024-01-02T03:04:05Z"}}`, 422, "Invalid", `metadata.deletionTimestamp: Invalid value: "2024-01-02T03:04:05Z": field is immutable`),
		Entry("a deletionGracePeriodSeconds", "", `{"metadata":{"deletionGracePeriodSeconds":5}}`, 422, "Invalid", `metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable`),
	)
	It("may be anything but nothing in a write to its status", func() {
		status := "/apis/" + group + "/v1/namespaces/default/posts/a/status"
		send("POST", crds, strings.NewReplacer("gates", "posts", "Gate", "Post", "Cluster", "Namespaced", "subresources: {", "subresources: {status: {}, ").Replace(gate(group))).ok(201)
		send("POST", strings.TrimSuffix(status, "/a/status"), strings.Replace(fill(`{HEAD,"metadata":{"name":"a"}}`), "Gate", "Post", 1)).ok(201)
		send("PATCH", status, `{"apiVersion":""}`, merge).status(500, "InternalError", `Object 'apiVersion' is missing in 'object has no apiVersion field'`)
		send("PATCH", status, `{"kind":"Other"}`, merge).ok(200)
	})
	It("may be of a version with other defaults, and its status be written", func() {
		doors := strings.NewReplacer("gates", "doors", "Gate", "Door", "storage: true", "storage: false", "storage: false", "storage: true", "subresources: {", "subresources: {status: {}, ",
			"size: {type: integer}}}, status", "size: {type: integer, default: 1}}}, status", "schema: *schema", "subresources: {status: {}}\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {}}, status: {type: object}}}}").Replace(gate(group))
		send("POST", crds, doors).ok(201)
		path := strings.Replace(gates, "gates", "doors", 1)
		send("POST", path, strings.Replace(fill(`{HEAD,"metadata":{"name":"a"},"spec":{}}`), "Gate", "Door", 1)).ok(201)
		Expect(send("PATCH", path+"/a/status", `{"status":{}}`, merge).ok(200).at("metadata", "generation")).To(BeEquivalentTo(1))
		Expect(send("PATCH", path+"/a", `{"metadata":{"labels":{"a":"b"}}}`, merge).ok(200).at("metadata", "generation")).To(BeEquivalentTo(2))
	})
	It("may be generateName later", func() {
		Expect(send("PATCH", gates+"/a", `{"metadata":{"generateName":"g-"}}`, merge).ok(200).at("metadata", "generateName")).To(Equal("g-"))
	})
	It("may be applied with any creationTimestamp", func() {
		a := send("PATCH", gates+"/a?fieldManager=m", fill(`{HEAD,"metadata":{"name":"a","creationTimestamp":"yesterday"}}`), applyPatch).ok(200)
		Expect(a.at("metadata", "creationTimestamp")).NotTo(Equal("yesterday"))
	})
	It("may be said twice, mildly", func() {
		twice := fill(`{HEAD,"kind":"Gate","metadata":{"name":"a"}}`)
		Expect(send("PATCH", gates+"/a?fieldManager=m", twice, applyPatch).ok(200).header).To(HaveKey("Warning"))
		Expect(send("PATCH", gates+"/a?fieldManager=m&fieldValidation=Ignore", twice, applyPatch).ok(200).header).NotTo(HaveKey("Warning"))
	})
	It("is decoded as a Scale, too", func() {
		send("PATCH", gates+"/a", `{"spec":{"size":1}}`, merge).ok(200)
		send("PATCH", gates+"/a/scale", `{"spec":{"replicas":"x"}}`, merge).status(422, "Invalid", `json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32`)
		send("PATCH", gates+"/a/scale", `{"spec":{"replicas":1.5}}`, merge).status(422, "Invalid", `json: cannot unmarshal number 1.5 into Go struct field ScaleSpec.spec.replicas of type int32`)
	})
})
