package crd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/internal/corpus"
)

// teller sends requests of one test to one server, and expects their codes. The story's group is another one each time.
type teller struct {
	*WithT
	*world
	group string
}

// newTeller tells to a server of ours; with KEELSON_PEER to kube-apiserver, which shows whether what a test expects is
// what Kubernetes does.
func newTeller(t *testing.T) teller {
	if dir := os.Getenv("KEELSON_PEER"); dir != "" {
		return teller{NewWithT(t), peerWorld(t, dir), fmt.Sprintf("t%x.example.com", time.Now().UnixNano())}
	}
	return teller{NewWithT(t), ourWorld(t), storyGroup}
}

// onlyOurs skips what is not Kubernetes' behaviour.
func onlyOurs(t *testing.T) {
	if os.Getenv("KEELSON_PEER") != "" {
		t.Skip("kube-apiserver does not do this")
	}
}

// call sends body (JSON, or something to encode; nil for none).
func (s teller) call(method, path string, body any) reply {
	raw, ok := body.(string)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		s.Expect(err).NotTo(HaveOccurred())
		raw = string(encoded)
	}
	r, err := s.send(method, strings.ReplaceAll(path, storyGroup, s.group), []byte(strings.ReplaceAll(raw, storyGroup, s.group)))
	s.Expect(err).NotTo(HaveOccurred())
	r.body = []byte(strings.ReplaceAll(string(r.body), s.group, storyGroup))
	return r
}

// do is call, and expects a code.
func (s teller) do(method, path string, body any, code int) map[string]any {
	r := s.call(method, path, body)
	s.Expect(r.code).To(Equal(code), "%s %s: %s", method, path, r.body)
	var obj map[string]any
	_ = json.Unmarshal(r.body, &obj)
	return obj
}

// define creates the definition that edits make. With kube-apiserver it then waits for what ours has done by then.
func (s teller) define(edits string) map[string]any {
	obj, err := edited(edits)
	s.Expect(err).NotTo(HaveOccurred())
	created := s.do(http.MethodPost, definitions, obj, http.StatusCreated)
	if s.settles == 0 {
		return created
	}
	for end := time.Now().Add(3 * s.settles); time.Now().Before(end); time.Sleep(s.settles) {
		created = s.do(http.MethodGet, definitions+"/"+nameOf(obj), nil, 200)
	}
	return created
}

func (s teller) status(name string) func() string {
	return func() string {
		return strings.Join(statusOf(s.do(http.MethodGet, definitions+"/"+name, nil, 200)), "\n")
	}
}

func (s teller) code(path string) func() int {
	return func() int { return s.call(http.MethodGet, path, nil).code }
}

const (
	patience  = "20s" // with what comes about by itself
	storyName = "things.story.example.com"
	things    = "/apis/story.example.com/v1/namespaces/default/things"
)

func thing(name, rest string) string {
	return `{"apiVersion":"story.example.com/v1","kind":"Thing","metadata":{"name":"` + name + `"}` + rest + `}`
}

func TestConditionsObserveTheirGeneration(t *testing.T) {
	onlyOurs(t)
	s := newTeller(t)
	observed := func(obj map[string]any) (all []any) {
		status := obj["status"].(map[string]any)
		all = append(all, status["observedGeneration"])
		for _, c := range status["conditions"].([]any) {
			all = append(all, c.(map[string]any)["observedGeneration"])
		}
		return all
	}
	obj := s.define("")
	s.Expect(observed(obj)).To(HaveEach(BeEquivalentTo(1)))
	obj["spec"].(map[string]any)["names"].(map[string]any)["shortNames"] = []any{"th"}
	obj = s.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	s.Expect(obj["metadata"]).To(HaveKeyWithValue("generation", BeEquivalentTo(2)))
	s.Expect(observed(obj)).To(HaveEach(BeEquivalentTo(2)))
	s.Expect(obj["status"]).To(HaveKeyWithValue("acceptedNames", HaveKeyWithValue("shortNames", ConsistOf("th"))))
	unchanged := s.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	s.Expect(unchanged["metadata"]).To(HaveKeyWithValue("resourceVersion", obj["metadata"].(map[string]any)["resourceVersion"]))
}

// Each name that two definitions of a group want is had by the first, until it lets go of it.
func TestNamesAreHadByOne(t *testing.T) {
	for _, c := range []struct{ wants, reason, text string }{
		{`spec.names.plural="others"; spec.names.kind="Thing"; spec.names.singular="o"; spec.names.listKind="Others"`, "KindConflict", `"Thing" is already in use`},
		{`spec.names.plural="others"; spec.names.kind="Thing"; spec.names.singular="o"`, "ListKindConflict", `"ThingList" is already in use`}, // the last one is told
		{`spec.names.plural="others"; spec.names.kind="ThingList"`, "KindConflict", `"ThingList" is already in use`},
		{`spec.names.plural="others"; spec.names.kind="Other"; spec.names.listKind="Thing"`, "ListKindConflict", `"Thing" is already in use`},
		{`spec.names.plural="others"; spec.names.kind="Other"; spec.names.singular="things"`, "SingularConflict", `"things" is already in use`},
		{`spec.names.plural="th"; spec.names.kind="Other"`, "PluralConflict", `"th" is already in use`},
		{`spec.names.plural="others"; spec.names.kind="Other"; spec.names.shortNames=["o","th","thing"]`, "ShortNamesConflict", `["th" is already in use, "thing" is already in use]`},
	} {
		for _, release := range []string{"deletion", "another name"} {
			t.Run(c.reason+" until "+release, func(t *testing.T) {
				s := newTeller(t)
				first := s.define(`spec.names.shortNames=["th"]`)
				plural := "others"
				if strings.Contains(c.wants, `plural="th"`) {
					plural = "th"
				}
				name := plural + ".story.example.com"
				s.define(c.wants + `; metadata.name="` + name + `"`)
				s.Eventually(s.status(name), patience, "1ms").Should(And(
					ContainSubstring("NamesAccepted=False "+c.reason+": "+c.text),
					ContainSubstring("Established=False NotAccepted: not all names are accepted")))
				s.Expect(s.code("/apis/story.example.com/v1/" + plural)()).To(Equal(404))
				s.Expect(s.code(things)()).To(Equal(200))
				if release == "deletion" {
					s.do(http.MethodDelete, definitions+"/"+storyName, nil, 200)
				} else if c.reason == "SingularConflict" || c.reason == "KindConflict" || c.reason == "ListKindConflict" {
					return // plural and kind of an established definition do not change
				} else {
					names := first["spec"].(map[string]any)["names"].(map[string]any)
					names["singular"], names["shortNames"] = "one", []any{}
					s.do(http.MethodPut, definitions+"/"+storyName, first, 200)
				}
				s.Eventually(s.status(name), patience, "5ms").Should(And(
					ContainSubstring("NamesAccepted=True NoConflicts: no conflicts found"),
					ContainSubstring("Established=True InitialNamesAccepted: the initial names have been accepted")))
				s.Eventually(s.code("/apis/story.example.com/v1/"+plural), patience, "5ms").Should(Equal(200))
			})
		}
	}
}

// A later conflict does not end the service of a kind: what it was had under stays.
func TestEstablishedStays(t *testing.T) {
	s := newTeller(t)
	s.define(`spec.names.shortNames=["th"]`)
	other := s.define(`metadata.name="others.story.example.com"; spec.names.plural="others"; spec.names.kind="Other"; spec.names.shortNames=["o"]`)
	other["spec"].(map[string]any)["names"].(map[string]any)["shortNames"] = []any{"th"}
	s.do(http.MethodPut, definitions+"/others.story.example.com", other, 200)
	s.Eventually(s.status("others.story.example.com"), patience, "1ms").Should(And(
		ContainSubstring("NamesAccepted=False ShortNamesConflict"), ContainSubstring("Established=True"), ContainSubstring(`"shortNames":["o"]`)))
	s.Expect(s.code("/apis/story.example.com/v1/others")()).To(Equal(200))
}

func TestBuiltInKindsAreNotTakenOver(t *testing.T) {
	onlyOurs(t) // it takes the names, and leaves the kind to whom it belongs
	s := newTeller(t)
	const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
	s.do(http.MethodPost, leases, `{"metadata":{"name":"a"},"spec":{"holderIdentity":"x"}}`, 201)
	const name = "leases.coordination.k8s.io"
	s.define(`metadata.name="` + name + `"; metadata.annotations={"api-approved.kubernetes.io":"unapproved"}; spec.group="coordination.k8s.io"; spec.names={"plural":"leases","kind":"Lease"}`)
	s.Expect(s.status(name)()).To(ContainSubstring("NamesAccepted=False"))
	s.do(http.MethodDelete, definitions+"/"+name, nil, 200)
	s.Eventually(s.code(definitions+"/"+name), patience, "5ms").Should(Equal(404))
	s.do(http.MethodGet, leases+"/a", nil, 200)
}

func TestDeletionEmptiesAKind(t *testing.T) {
	s := newTeller(t)
	s.define("")
	for i := range 5 {
		s.do(http.MethodPost, things, thing(fmt.Sprint("free-", i), ""), 201)
	}
	for i := range 3 {
		s.do(http.MethodPost, things, `{"apiVersion":"story.example.com/v1","kind":"Thing","metadata":{"name":"held-`+fmt.Sprint(i)+`","finalizers":["a.b/c"]}}`, 201)
	}
	answer := s.do(http.MethodDelete, definitions+"/"+storyName, nil, 200)
	s.Expect(statusOf(answer)).To(ContainElement(
		"Terminating=True InstanceDeletionPending: CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"))
	s.Expect(answer["metadata"]).To(HaveKeyWithValue("finalizers", ConsistOf("customresourcecleanup.apiextensions.k8s.io")))
	s.Eventually(s.status(storyName), patience, "5ms").Should(ContainSubstring("Terminating=True InstanceDeletionInProgress: CustomResource deletion is in progress")) // ours says how many remain
	s.do(http.MethodPost, things, thing("new", ""), 403)
	s.do(http.MethodGet, things+"/held-0", nil, 200)
	for i := range 3 {
		held := s.do(http.MethodGet, things+"/held-"+fmt.Sprint(i), nil, 200)
		delete(held["metadata"].(map[string]any), "finalizers")
		s.do(http.MethodPut, things+"/held-"+fmt.Sprint(i), held, 200)
	}
	s.Eventually(s.code(definitions+"/"+storyName), patience, "5ms").Should(Equal(404))
	s.Eventually(s.code(things), patience, "1ms").Should(Equal(404))
}

// A definition may come back as something else as soon as it is gone, again and again.
func TestReCreation(t *testing.T) {
	s := newTeller(t)
	gone := func() {
		s.do(http.MethodDelete, definitions+"/"+storyName, nil, 200)
		s.Eventually(s.code(definitions+"/"+storyName), patience, "1ms").Should(Equal(404))
	}
	for range 5 {
		s.define("")
		s.do(http.MethodPost, things, thing("a", `,"spec":{"text":"x"}`), 201)
		s.do(http.MethodPost, things, thing("b", `,"spec":{"text":1}`), 422)
		gone()
		s.define(`P.text.type="integer"`)
		s.Expect(s.do(http.MethodGet, things, nil, 200)["items"]).To(BeEmpty())
		s.do(http.MethodPost, things, thing("a", `,"spec":{"text":1}`), 201)
		gone()
		s.define(`spec.scope="Cluster"`)
		s.Eventually(s.code(things), patience, "1ms").Should(Equal(404))
		s.do(http.MethodPost, "/apis/story.example.com/v1/things", thing("a", ""), 201)
		gone()
		s.define(`spec.names.kind="Other"; V.name="v2"`)
		s.Eventually(s.code(things), patience, "1ms").Should(Equal(404))
		s.do(http.MethodPost, "/apis/story.example.com/v2/namespaces/default/things", `{"apiVersion":"story.example.com/v2","kind":"Other","metadata":{"name":"a"}}`, 201)
		gone()
	}
}

// What one server writes holds on another that shares the store, as soon as that has seen it.
func TestServersOnOneStore(t *testing.T) {
	onlyOurs(t)
	store := memory.New(memory.Options{})
	t.Cleanup(func() { _ = store.Close() })
	serve := func() teller {
		s := apiservertest.Start(t, apiservertest.Options{Store: store})
		return teller{NewWithT(t), &world{url: s.URL, client: s.Client()}, storyGroup}
	}
	a, b := serve(), serve()
	obj := a.define("")
	b.Eventually(b.code(things), patience, "1ms").Should(Equal(200))
	b.do(http.MethodPost, things, thing("a", `,"spec":{"count":1}`), 201)
	a.do(http.MethodGet, things+"/a", nil, 200)

	versions := obj["spec"].(map[string]any)["versions"].([]any)
	root := versions[0].(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	root["properties"].(map[string]any)["spec"].(map[string]any)["properties"].(map[string]any)["count"].(map[string]any)["minimum"] = 5
	b.do(http.MethodPut, definitions+"/"+storyName, obj, 200)
	b.do(http.MethodPost, things, thing("b", `,"spec":{"count":1}`), 422)
	a.Eventually(func() int {
		return a.call(http.MethodPost, things+"?dryRun=All", thing("b", `,"spec":{"count":1}`)).code
	}, patience, "1ms").Should(Equal(422))

	// A conflict is noticed whoever had the name; and two servers empty a kind together.
	b.define(`metadata.name="others.story.example.com"; spec.names.plural="others"`)
	b.Expect(b.status("others.story.example.com")()).To(ContainSubstring("ListKindConflict"))
	b.do(http.MethodDelete, definitions+"/"+storyName, nil, 200)
	for _, s := range []teller{a, b} {
		s.Eventually(s.code(definitions+"/"+storyName), patience, "1ms").Should(Equal(404))
		s.Eventually(s.code(things), patience, "1ms").Should(Equal(404))
		s.Eventually(s.status("others.story.example.com"), patience, "1ms").Should(ContainSubstring("Established=True"))
	}
}

// What nobody could create may still be in a store: it is served as far as it goes, and can be deleted.
func TestStoredWithoutValidation(t *testing.T) {
	s := newTeller(t)
	store := func(edits string) {
		obj, err := edited(edits)
		s.Expect(err).NotTo(HaveOccurred())
		obj["metadata"].(map[string]any)["uid"] = uuid.NewUUID()
		raw, err := json.Marshal(obj)
		s.Expect(err).NotTo(HaveOccurred())
		raw = []byte(strings.ReplaceAll(string(raw), storyGroup, s.group))
		s.Expect(s.put("/registry/apiextensions.k8s.io/customresourcedefinitions/"+strings.ReplaceAll(storyName, storyGroup, s.group), raw)).To(Succeed())
		s.Eventually(s.status(storyName), patience, "1ms").Should(ContainSubstring("Established=True"))
		s.Eventually(s.code(things), patience, "1ms").Should(Equal(200)) // nobody waited for the server's own write to be applied
	}
	gone := func() {
		s.do(http.MethodDelete, definitions+"/"+storyName, nil, 200)
		s.Eventually(s.code(definitions+"/"+storyName), patience, "1ms").Should(Equal(404))
	}
	store(`spec.preserveUnknownFields=true`)
	s.Eventually(s.status(storyName), patience, "1ms").Should(ContainSubstring("NonStructuralSchema=True Violations: spec.preserveUnknownFields: Invalid value: true: must be false"))
	s.Expect(s.do(http.MethodPost, things, thing("a", `,"odd":1`), 201)).To(HaveKeyWithValue("odd", BeEquivalentTo(1)))
	gone()
	store(`P.text={}`)
	s.Eventually(s.status(storyName), patience, "1ms").Should(ContainSubstring("NonStructuralSchema=True Violations: spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[text].type: Required value"))
	s.do(http.MethodPost, things, thing("a", `,"spec":{"text":{"any":1}}`), 201)
	gone()
	if s.settles != 0 {
		return // kube-apiserver can neither serve nor delete the last one
	}
	store(`P.strings.items=[{"type":"string"}]`)
	s.Eventually(s.status(storyName), patience, "1ms").Should(ContainSubstring("NonStructuralSchema=Unknown StructuralError: failed to check validation schema for version v1: OpenAPIV3Schema 'items' must be a schema, but is an array"))
	gone()
}

func TestColumnsThatLeadNowhere(t *testing.T) {
	s := newTeller(t)
	s.define(`V.additionalPrinterColumns=[{"name":"Text","type":"string","jsonPath":".spec.text"},{"name":"Bad","type":"string","jsonPath":".spec.list[?(@.k=='a'"},{"name":"Count","type":"integer","jsonPath":".spec.count"}]`)
	s.do(http.MethodPost, things, thing("a", `,"spec":{"text":"x","count":1}`), 201)
	req, err := http.NewRequest(http.MethodGet, s.url+strings.ReplaceAll(things, storyGroup, s.group), nil)
	s.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	res, err := s.client.Do(req)
	s.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = res.Body.Close() }()
	var table struct {
		ColumnDefinitions []struct{ Name string }
		Rows              []struct{ Cells []any }
	}
	s.Expect(json.NewDecoder(res.Body).Decode(&table)).To(Succeed())
	var names []string
	for _, c := range table.ColumnDefinitions {
		names = append(names, c.Name)
	}
	s.Expect(names).To(Equal([]string{"Name", "Text"}))
	s.Expect(table.Rows[0].Cells).To(Equal([]any{"a", "x"}))
}

// Writers to the status may set what is in it and metadata, and nothing in spec.
func TestStatusIsWrittenApart(t *testing.T) {
	s := newTeller(t)
	obj := s.define(v2)
	obj["metadata"].(map[string]any)["labels"] = map[string]any{"a": "b"}
	obj["spec"].(map[string]any)["scope"] = "Cluster"
	obj["status"].(map[string]any)["storedVersions"] = []any{"v1", "v2"}
	out := s.do(http.MethodPut, definitions+"/"+storyName+"/status", obj, 200)
	s.Expect(out["metadata"]).To(HaveKeyWithValue("labels", HaveKeyWithValue("a", "b")))
	s.Expect(out["metadata"]).To(HaveKeyWithValue("generation", BeEquivalentTo(1)))
	s.Expect(out["spec"]).To(HaveKeyWithValue("scope", "Namespaced"))
	s.Expect(out["status"]).To(HaveKeyWithValue("storedVersions", Equal([]any{"v1", "v2"})))
	spec := out["spec"].(map[string]any)
	spec["versions"] = slices.Delete(spec["versions"].([]any), 1, 2)
	refused := s.do(http.MethodPut, definitions+"/"+storyName, out, 422)
	s.Expect(refused["message"]).To(ContainSubstring("v2 was previously a storage version"))
	out["status"].(map[string]any)["conditions"] = []any{}
	out = s.do(http.MethodPut, definitions+"/"+storyName, s.do(http.MethodGet, definitions+"/"+storyName, nil, 200), 200)
	s.Expect(statusOf(out)).To(ContainElement(ContainSubstring("Established=True")))
}

func TestSizes(t *testing.T) {
	onlyOurs(t)
	if corpus.Racing {
		t.Skip("it takes minutes, and does nothing at the same time that other tests do not do with less")
	}
	s := newTeller(t)
	description := strings.Repeat("All work and no play makes Jack a dull boy. ", 8<<20/44)
	s.define(`S.description="` + description + `"`)
	s.do(http.MethodPost, things, thing("a", `,"spec":{"text":"x"}`), 201)
	got := s.do(http.MethodGet, definitions+"/"+storyName, nil, 200)
	s.Expect(fmt.Sprint(got)).To(ContainSubstring(description))
	s.do(http.MethodPost, "/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"a"},"data":{"a":"`+description+`"}}`, 413)
	s.do(http.MethodPost, definitions, `{"spec":{"group":"`+description+description+`"}}`, 413)

	in := func(schema string) string {
		return `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"xs.hostile.example.com"},"spec":{"group":"hostile.example.com","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"a":` + schema + `}}}}]}}`
	}
	nest := func(open string, levels int, middle string) string {
		return strings.Repeat(open, levels) + middle + strings.Repeat("}", levels*strings.Count(open, "{"))
	}
	for name, c := range map[string]struct {
		body string
		text string
	}{
		"deep":       {in(nest(`{"type":"object","properties":{"a":`, 2000, `{}`)), "levels deep, at most 300 are allowed"},
		"deeper":     {in(nest(`{"a":`, 9000, `{}`)), "levels deep, at most 300 are allowed"},
		"bottomless": {in(nest(`{"a":`, 1<<20, `{}`)), "exceeded max depth"},
		"wide":       {in(`{"type":"string","allOf":[{}` + strings.Repeat(`,{}`, 1<<20) + `]}`), "objects, at most 200000 are allowed"},
		"repeating":  {in(`{"type":"string","allOf":[{}` + strings.Repeat(`,{"pattern":"^(`+strings.Repeat("ab", 100)+`){1000}$"}`, 500) + `]}`), "its patterns repeat too much"},
		"slow":       {in(nest(`{"type":"array","items":`, 250, `{"description":"`+description+`"}`)), "too much of it"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			r := s.call(http.MethodPost, definitions, c.body)
			NewWithT(t).Expect(r.code).To(Equal(400), "%.300s", r.body)
			NewWithT(t).Expect(string(r.body)).To(ContainSubstring(c.text))
			t.Logf("refused after %v", time.Since(start))
		})
	}
	// As deep as no real one is, with more patterns, and still accepted.
	s.define(`metadata.name="others.story.example.com"; spec.names.plural="others"; spec.names.kind="Other"; P.text.allOf=[{}` + strings.Repeat(`,{"pattern":"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}`, 1000) + `]`)
	s.do(http.MethodPost, definitions, in(nest(`{"type":"object","properties":{"a":`, 120, `{"type":"string"}`)), 201)
}
