package crd_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// stored puts an object of the story's kind behind the server's back, as an older server may have left it there.
func (s teller) stored(name, rest string) {
	raw := `{"apiVersion":"story.example.com/v1","kind":"Thing","metadata":{"creationTimestamp":"2018-01-01T00:00:00Z","name":"` + name +
		`","namespace":"default","uid":"0b2f6f8e-1111-4222-8333-944455556666"` + rest + `}`
	s.Expect(s.put(strings.ReplaceAll("/registry/story.example.com/things/default/"+name, storyGroup, s.group),
		[]byte(strings.ReplaceAll(raw, storyGroup, s.group)))).To(Succeed())
}

func at(obj map[string]any, path ...string) any {
	var x any = obj
	for _, p := range path {
		m, _ := x.(map[string]any)
		x = m[p]
	}
	return x
}

// Objects from before there were generations have one.
func TestStoredWithoutGeneration(t *testing.T) {
	s := newTeller(t)
	s.define("")
	s.do(http.MethodPost, things, thing("other", ""), 201)
	for _, name := range []string{"a", "b", "c"} {
		s.stored(name, `},"spec":{"text":"x"}`)
	}
	s.stored("d", `,"finalizers":["example.com/wait"],"generation":0},"spec":{"text":"x"}`)
	s.Eventually(s.code(things+"/d"), patience, "1ms").Should(Equal(200))
	generation := func(obj map[string]any) any { return at(obj, "metadata", "generation") }
	s.Expect(generation(s.do(http.MethodGet, things+"/a", nil, 200))).To(BeEquivalentTo(1))
	items := s.do(http.MethodGet, things, nil, 200)["items"].([]any)
	s.Expect(items).To(HaveLen(5))
	for _, item := range items {
		s.Expect(generation(item.(map[string]any))).To(BeEquivalentTo(1))
	}
	s.Expect(generation(s.do(http.MethodPut, things+"/a", s.do(http.MethodGet, things+"/a", nil, 200), 200))).To(BeEquivalentTo(1))
	b := s.do(http.MethodGet, things+"/b", nil, 200)
	b["spec"] = map[string]any{"text": "y"}
	s.Expect(generation(s.do(http.MethodPut, things+"/b", b, 200))).To(BeEquivalentTo(2))
	s.Expect(generation(s.do(http.MethodDelete, things+"/d", nil, 200))).To(BeEquivalentTo(2))
}

// What a schema did not say when it was stored may be wrong by what it says now: an object is read without it.
func TestStoredWithMalformedMetadata(t *testing.T) {
	s := newTeller(t)
	obj := s.define(`P.template={"type":"object","x-kubernetes-preserve-unknown-fields":true}`)
	s.stored("a", `,"generation":3,"labels":{"a":1},"annotations":{"a":"b"},"odd":1},"spec":{"template":{"apiVersion":5,"kind":"Pod","spec":{"x":1},`+
		`"metadata":{"name":1,"labels":{"a":"b"},"annotations":{"a":1},"finalizers":["x"],"odd":1,"creationTimestamp":null}}}`)
	s.Expect(edit(obj, `P.template.x-kubernetes-embedded-resource=true`)).To(Succeed())
	s.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	read := func() any { return at(s.do(http.MethodGet, things+"/a", nil, 200), "spec", "template") }
	s.Eventually(read, patience, "1ms").Should(Equal(map[string]any{
		"kind": "Pod", "spec": map[string]any{"x": 1.0},
		"metadata": map[string]any{"labels": map[string]any{"a": "b"}, "finalizers": []any{"x"}},
	}))
	a := s.do(http.MethodGet, things+"/a", nil, 200)
	s.Expect(a["metadata"]).NotTo(HaveKey("labels"))
	s.Expect(a["metadata"]).NotTo(HaveKey("odd"))
	s.Expect(a["metadata"]).To(HaveKeyWithValue("annotations", HaveKeyWithValue("a", "b")))
	items := s.do(http.MethodGet, things, nil, 200)["items"].([]any)
	s.Expect(items).To(Equal([]any{a}))
	refused := s.do(http.MethodPut, things+"/a", a, 422) // a write is checked, whatever was there
	s.Expect(refused["message"]).To(ContainSubstring("spec.template.apiVersion: Required value"))
	a["spec"] = map[string]any{"text": "x"}
	s.do(http.MethodPut, things+"/a", a, 200)

	// Metadata that is no object cannot be dropped.
	s.stored("b", `,"generation":3},"spec":{"template":{"apiVersion":"v1","kind":["Pod"],"metadata":"x"}}`)
	obj = s.do(http.MethodGet, definitions+"/"+storyName, nil, 200)
	s.Expect(edit(obj, `P.template.description="changed"`)).To(Succeed())
	s.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	s.Eventually(s.code(things+"/b"), patience, "1ms").Should(Equal(500))
	s.Expect(s.do(http.MethodGet, things+"/b", nil, 500)["message"]).To(HaveSuffix(
		`spec.template.metadata: Invalid value: "x": json: cannot unmarshal string into Go value of type v1.ObjectMeta`))
}

// A conversion must not bring malformed metadata.
func TestConvertedIntoMalformedMetadata(t *testing.T) {
	s := newTeller(t)
	const template = `{"type":"object","x-kubernetes-preserve-unknown-fields":true}`
	s.define(`P.template=` + template + `; ` + strings.Replace(v2, `{"type":"object"}`,
		`{"type":"object","properties":{"spec":{"type":"object","properties":{"template":`+
			strings.Replace(template, `{`, `{"x-kubernetes-embedded-resource":true,`, 1)+`}}}}`, 1))
	create := func(name, template string) {
		s.do(http.MethodPost, things, thing(name, `,"spec":{"template":`+template+`}`), 201)
	}
	create("ok", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","odd":1}}`)
	create("a", `{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":1}}}`)
	in2 := strings.Replace(things, "v1", "v2", 1)
	s.Expect(at(s.do(http.MethodGet, in2+"/ok", nil, 200), "spec", "template", "metadata")).To(Equal(map[string]any{"name": "x"}))
	const why = `: spec.template.metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string`
	got := s.do(http.MethodGet, in2+"/a", nil, 500)
	s.Expect(got["message"]).To(And(HavePrefix("Internal error occurred: StorageError: corrupt object"), HaveSuffix(why)))
	got = s.do(http.MethodGet, in2, nil, 500)
	s.Expect(got["message"]).To(And(HavePrefix("failed to read one or more things.story.example.com from the storage: StorageError: corrupt object"), HaveSuffix(why)))
	put := s.do(http.MethodGet, in2+"/ok", nil, 200)
	put["metadata"].(map[string]any)["name"] = "a"
	delete(put["metadata"].(map[string]any), "uid")
	put["metadata"].(map[string]any)["resourceVersion"] = at(s.do(http.MethodGet, things+"/a", nil, 200), "metadata", "resourceVersion")
	got = s.do(http.MethodPut, in2+"/a", put, 500)
	s.Expect(got["message"]).To(HaveSuffix(why))

	// On the way into the store it is the storage version that counts.
	obj := s.do(http.MethodGet, definitions+"/"+storyName, nil, 200)
	s.Expect(edit(obj, `spec.versions.0.storage=false`)).To(Succeed())
	s.Expect(edit(obj, `spec.versions.1.storage=true`)).To(Succeed())
	s.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	s.Eventually(func() string {
		return string(s.call(http.MethodPost, things+"?dryRun=All", thing("b", `,"spec":{"template":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":1}}}}`)).body)
	}, patience, "1ms").Should(MatchJSON(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":500,"message":` + strconv.Quote(why[2:]) + `}`))
}
