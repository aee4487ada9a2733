package managedfields_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/managedfields"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// deployments is the built-in kind with lists and maps of all sorts.
func deployments() (*resource.Definition, *models.Set) {
	set := models.Embedded()
	for _, d := range builtin.Definitions(builtin.Options{Models: set}) {
		if _, ok := d.Versions[0].GoType.(*appsv1.Deployment); ok {
			return d, set
		}
	}
	panic("there is no kind Deployment")
}

func decode(text string) resource.Object {
	obj, err := resource.Decode([]byte(text))
	if err != nil {
		panic(err)
	}
	return obj
}

const web = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":%d,
	"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"nginx"}]}}}}`

func Example() {
	d, set := deployments()
	m := managedfields.For(d, d.Version("v1"), "", set)
	ctx := context.Background()
	live, err := m.Apply(ctx, nil, decode(fmt.Sprintf(web, 1)), "alice", false)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = m.Apply(ctx, resource.DeepCopy(live), decode(fmt.Sprintf(web, 2)), "bob", false)
	fmt.Println(err)
	live, err = m.Apply(ctx, live, decode(fmt.Sprintf(web, 2)), "bob", true)
	fmt.Println(live["spec"].(map[string]any)["replicas"], err)
	// Output:
	// Apply failed with 1 conflict: conflict with "alice": .spec.replicas
	// 2 <nil>
}

func TestForIsOneForAVersion(t *testing.T) {
	d, set := deployments()
	v := d.Version("v1")
	if first := managedfields.For(d, v, "", set); first != managedfields.For(d, v, "", set) {
		t.Error("the manager of a version is made twice")
	}
	if managedfields.For(d, v, "", set) == managedfields.For(d, v, "status", set) {
		t.Error("the status shares the manager of the object")
	}
}

// TestUpdateKeepsTheAccountWhereItCannotGoOn: a write does not fail because its account does.
func TestUpdateKeepsTheAccountWhereItCannotGoOn(t *testing.T) {
	d, set := deployments()
	m := managedfields.For(d, d.Version("v1"), "", set)
	live, err := m.Apply(t.Context(), nil, decode(fmt.Sprintf(web, 1)), "alice", false)
	if err != nil {
		t.Fatal(err)
	}
	broken := resource.DeepCopy(live)
	broken["spec"] = "no object" // what does not fit the schema has no fields to own
	m.Update(t.Context(), live, broken, "bob")
	before, after := live["metadata"].(map[string]any)["managedFields"], broken["metadata"].(map[string]any)["managedFields"]
	if len(before.([]any)) != 1 || fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("managedFields were %v, and are %v", before, after)
	}
}

func TestApplyRefuses(t *testing.T) {
	d, set := deployments()
	m := managedfields.For(d, d.Version("v1"), "", set)
	for name, c := range map[string]struct {
		config string
		code   int32 // 0: a plain error
		text   string
	}{
		"anotherKind":   {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}`, 400, "invalid object type: /v1, Kind=Pod"},
		"managedFields": {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","managedFields":[{"manager":"x"}]}}`, 400, "metadata.managedFields must be nil"},
		"unknownField":  {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"color":"red"}}`, 0, "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.color: field not declared in schema"},
		"wrongType":     {`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":[]}}`, 0, "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template: expected map, got &{[]}"},
	} {
		_, err := m.Apply(t.Context(), nil, decode(c.config), "alice", true)
		if err == nil || err.Error() != c.text {
			t.Errorf("%s: got %v, want %s", name, err, c.text)
		}
		var status apierrors.APIStatus
		if is := errors.As(err, &status); is != (c.code != 0) || is && status.Status().Code != c.code {
			t.Errorf("%s: got %#v, want code %d", name, err, c.code)
		}
	}
}

func TestKeepTimesIfUnchanged(t *testing.T) {
	object := func(at, size string) resource.Object {
		return decode(`{"metadata":{"managedFields":[{"manager":"a","time":"` + at + `","fieldsV1":{"f:size":{}}}]},"size":"` + size + `"}`)
	}
	for _, c := range []struct {
		size, want string
	}{
		{"big", "2026-01-01T00:00:00Z"},   // nothing changed: nor does the time
		{"small", "2026-02-02T00:00:00Z"}, // it did
	} {
		live, obj := object("2026-01-01T00:00:00Z", "big"), object("2026-02-02T00:00:00Z", c.size)
		managedfields.KeepTimesIfUnchanged(obj, live)
		entry := obj["metadata"].(map[string]any)["managedFields"].([]any)[0].(map[string]any)
		if entry["time"] != c.want {
			t.Errorf("size %s: the time is %v, want %s", c.size, entry["time"], c.want)
		}
	}
}

func BenchmarkUpdateCreate(b *testing.B) {
	d, set := deployments()
	m := managedfields.For(d, d.Version("v1"), "", set)
	obj := decode(fmt.Sprintf(web, 1))
	b.ReportAllocs()
	for b.Loop() {
		delete(obj["metadata"].(map[string]any), "managedFields")
		m.Update(context.Background(), nil, obj, "bench")
	}
}

func BenchmarkApply(b *testing.B) {
	d, set := deployments()
	m := managedfields.For(d, d.Version("v1"), "", set)
	live, err := m.Apply(b.Context(), nil, decode(fmt.Sprintf(web, 1)), "bench", false)
	if err != nil {
		b.Fatal(err)
	}
	config := decode(fmt.Sprintf(web, 2))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Apply(context.Background(), resource.DeepCopy(live), config, "bench", false); err != nil {
			b.Fatal(err)
		}
	}
}
