package schemas

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/internal/randschema"
)

const group, kind = "example.com", "Thing"

// pair is one version of a kind in both servers.
type pair struct {
	ours resource.Schema
	peer *peer
}

func newPair(t testing.TB, props *apiextensionsv1.JSONSchemaProps) *pair {
	t.Helper()
	v := apiextensionsv1.CustomResourceDefinitionVersion{
		Name: "v1", Served: true, Storage: true,
		Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: props},
		Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
	}
	c := &apiextensionsv1.CustomResourceDefinition{}
	c.Spec.Group, c.Spec.Scope = group, apiextensionsv1.ClusterScoped
	c.Spec.Names = apiextensionsv1.CustomResourceDefinitionNames{Plural: "things", Singular: "thing", Kind: kind, ListKind: "ThingList"}
	c.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{v}
	d, err := crd.NewDefinition(c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPeer(&v, kschema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}, false)
	if err != nil {
		return nil // a default that cannot be pruned: no such definition is ever accepted
	}
	return &pair{ours: d.Versions[0].Schema, peer: p}
}

// decode brings obj into the form that is validated, in both ways, and compares them; nil where it is refused.
func (p *pair) decode(t testing.TB, obj map[string]any) map[string]any {
	t.Helper()
	theirs := randschema.Copy(obj).(map[string]any)
	wantUnknown, wantErr := p.peer.decode(theirs)
	gotErr := p.ours.(resource.TypeChecker).CheckTypes(obj)
	if (gotErr == nil) != (wantErr == nil) {
		t.Errorf("refused at decoding: %v, kube-apiserver: %v", gotErr, wantErr)
		return nil
	}
	if wantErr != nil {
		return nil
	}
	gotUnknown := p.ours.Prune(obj)
	if !slices.Equal(gotUnknown, wantUnknown) && len(gotUnknown)+len(wantUnknown) > 0 {
		t.Errorf("unknown fields:\n got %q\nwant %q", gotUnknown, wantUnknown)
	}
	p.ours.Default(obj)
	if !reflect.DeepEqual(obj, theirs) {
		t.Errorf("decoded:\n got %s\nwant %s", encode(obj), encode(theirs))
	}
	return obj
}

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// compare compares lists of errors; kube-apiserver's are in random order where they come from an object's members.
func compare(t testing.TB, what string, got, want field.ErrorList) {
	t.Helper()
	g, w := texts(got), texts(want)
	if !slices.Equal(g, w) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(g, "\n     "), strings.Join(w, "\n     "))
	}
}

func texts(errs field.ErrorList) (out []string) {
	for _, e := range errs {
		out = append(out, string(e.Type)+" "+e.Error())
	}
	slices.Sort(out)
	return out
}

// story makes a kind, an object of it, and a successor, and compares all that happens to them.
func story(t testing.TB, data []byte) {
	s := randschema.New(data)
	props := s.Root()
	p := newPair(t, props)
	if p == nil {
		return
	}
	old := s.Matching(props)
	p.follow(t, old, s.Changed(old, props))
	if t.Failed() {
		t.Fatalf("schema %s", encode(props))
	}
}

// whole makes an object of the kind out of what was made for its schema.
func whole(value any) map[string]any {
	obj, ok := randschema.Copy(value).(map[string]any)
	if !ok {
		obj = map[string]any{}
	}
	obj["apiVersion"], obj["kind"] = group+"/v1", kind
	if metadata, ok := obj["metadata"].(map[string]any); ok && len(metadata) > 0 {
		metadata["name"] = "x"
	} else {
		obj["metadata"] = map[string]any{"name": "x"}
	}
	return obj
}

// follow compares what happens to an object when it is created, updated, and its status is updated.
func (p *pair) follow(t testing.TB, first, second any) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("old %s\nnew %s", encode(whole(first)), encode(whole(second)))
		}
	}()
	old, obj := p.decode(t, whole(first)), p.decode(t, whole(second))
	if old == nil || obj == nil {
		return
	}
	// The registry checks metadata, here in the same way for both.
	old["metadata"] = map[string]any{"name": "x", "resourceVersion": "1"}
	obj["metadata"] = map[string]any{"name": "x", "resourceVersion": "1"}
	ctx := context.Background()
	compare(t, "create", p.ours.Validate(ctx, obj, nil), p.peer.validate(obj, nil))
	compare(t, "update", p.ours.Validate(ctx, obj, old), p.peer.validate(obj, old))
	next := randschema.Copy(old).(map[string]any)
	delete(next, "status")
	if status, ok := obj["status"]; ok {
		next["status"] = status
	}
	compare(t, "update of status", p.ours.(resource.StatusValidator).ValidateStatus(ctx, next, old, nil), p.peer.validateStatus(next, old))
}

func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		data := make([]byte, 400)
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		story(t, data)
		if t.Failed() {
			return
		}
	}
}

func FuzzAgreesWithKubernetes(f *testing.F) {
	f.Add([]byte("some bytes"))
	f.Fuzz(func(t *testing.T, data []byte) { story(t, data) })
}
