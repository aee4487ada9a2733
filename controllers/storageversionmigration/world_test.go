package storageversionmigration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/controllers/storageversionmigration"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

type Migration = storagemigrationv1.StorageVersionMigration

// world is a store, and a server and the controller that come and go.
type world struct {
	t     *testing.T
	store storage.Store
	srv   *apiservertest.Server
	c     *client.Direct
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: memory.New(memory.Options{})}
	t.Cleanup(func() { _ = w.store.Close() })
	w.start(nil)
	w.create(unstructuredOf(t, websiteCRD))
	return w
}

// start starts a server without the controller, or with it where options are given. seen may look into its requests, and
// answer them.
func (w *world) start(o *storageversionmigration.Options, seen ...func(*http.Request) error) {
	w.t.Helper()
	var controllers []apiservertest.Controller
	if o != nil {
		controllers = append(controllers, func(ctx context.Context, transport http.RoundTripper) error {
			return run(ctx, w.t, *o, tap{transport, seen})
		})
	}
	w.srv = apiservertest.Start(w.t, apiservertest.Options{Store: w.store, Controllers: controllers})
	c, err := client.New(client.Config{Host: "http://server", Transport: w.srv.Transport()}, client.Options{Scheme: scheme(w.t), FieldOwner: "test"})
	w.ok(err)
	w.c = c
}

func run(ctx context.Context, t *testing.T, o storageversionmigration.Options, transport http.RoundTripper) error {
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: transport}, runtime.Options{
		Scheme: scheme(t), GracefulShutdownTimeout: -1, Logger: testr.New(t),
	})
	if err != nil {
		return err
	}
	if err := storageversionmigration.Setup(mgr, o); err != nil {
		return err
	}
	return mgr.Run(ctx)
}

// restart stops the server with whatever it runs, and starts one like start.
func (w *world) restart(o *storageversionmigration.Options, seen ...func(*http.Request) error) {
	w.t.Helper()
	w.srv.Stop()
	w.start(o, seen...)
}

// tap shows requests to functions before the server gets them; an error of theirs is the answer.
type tap struct {
	next http.RoundTripper
	seen []func(*http.Request) error
}

func (t tap) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, f := range t.seen {
		if err := f(r); err != nil {
			return nil, err
		}
	}
	return t.next.RoundTrip(r)
}

func scheme(t *testing.T) *kruntime.Scheme {
	s := kruntime.NewScheme()
	if err := storageversionmigration.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func unstructuredOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) create(obj client.Object) {
	w.t.Helper()
	w.ok(w.c.Create(w.t.Context(), obj))
}

// websiteCRD stores v1, and has v2 of the same shape.
const websiteCRD = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"websites.example.com"},
	"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"websites","kind":"Website"},"versions":[
	{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"host":{"type":"string"}}}}}}},
	{"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"host":{"type":"string"}}}}}}}]}}`

func website(version, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"host": name + ".com"}}}
	u.SetAPIVersion("example.com/" + version)
	u.SetKind("Website")
	u.SetNamespace("default")
	u.SetName(name)
	return u
}

func (w *world) fill(from, to int) {
	w.t.Helper()
	for i := from; i < to; i++ {
		w.create(website("v1", fmt.Sprintf("site-%04d", i)))
	}
}

func (w *world) crd() *apiextensionsv1.CustomResourceDefinition {
	w.t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	w.ok(w.c.Get(w.t.Context(), client.ObjectKey{Name: "websites.example.com"}, crd))
	return crd
}

// change patches the definition: a JSON patch.
func (w *world) change(patch string) {
	w.t.Helper()
	w.ok(w.c.Patch(w.t.Context(), w.crd(), client.RawPatch(types.JSONPatchType, []byte(patch))))
}

// storeV2 makes v2 the version that is stored from now on.
func (w *world) storeV2() {
	w.t.Helper()
	w.change(`[{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}]`)
}

// stored counts the websites in the store, by version.
func (w *world) stored() map[string]int {
	w.t.Helper()
	list, err := w.store.List(w.t.Context(), "/registry/example.com/websites/", storage.ListOptions{})
	w.ok(err)
	count := map[string]int{}
	for _, kv := range list.KVs {
		var obj metav1.TypeMeta
		w.ok(json.Unmarshal(kv.Value, &obj))
		count[strings.TrimPrefix(obj.APIVersion, "example.com/")]++
	}
	return count
}

func (w *world) wantStored(want map[string]int) {
	w.t.Helper()
	if got := w.stored(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("stored are %v, want %v", got, want)
	}
}

// migrate asks for a migration.
func (w *world) migrate(name string, gr metav1.GroupResource) {
	w.t.Helper()
	w.create(&Migration{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: storagemigrationv1.StorageVersionMigrationSpec{Resource: gr}})
}

var websites = metav1.GroupResource{Group: "example.com", Resource: "websites"}

// wait waits until a migration is as asked.
func (w *world) wait(name string, reached func(*Migration) bool) *Migration {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	watch, err := w.c.Watch(ctx, &storagemigrationv1.StorageVersionMigrationList{}, client.MatchingFields{"metadata.name": name})
	w.ok(err)
	defer watch.Close()
	var last *Migration
	for {
		_, obj, err := watch.Next(ctx)
		if err != nil {
			w.t.Fatalf("%v; the migration is %+v", err, last)
		}
		last = obj.(*Migration)
		if reached(last) {
			return last
		}
	}
}

// waitEnd waits until a migration has ended and is tidied up.
func (w *world) waitEnd(name string, how storagemigrationv1.MigrationConditionType) *Migration {
	w.t.Helper()
	m := w.wait(name, func(m *Migration) bool { return meta.IsStatusConditionFalse(m.Status.Conditions, "Running") })
	if !meta.IsStatusConditionTrue(m.Status.Conditions, string(how)) {
		w.t.Errorf("the migration has not %s: %+v", how, m.Status.Conditions)
	}
	return m
}

// conditions are those of a migration, or of a definition what tells of migrations, in short.
func (w *world) wantConditions(m *Migration, want ...string) {
	w.t.Helper()
	var got []string
	for _, c := range m.Status.Conditions {
		got = append(got, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("conditions:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (w *world) wantCRD(condition string, storedVersions ...string) {
	w.t.Helper()
	crd := w.crd()
	got := ""
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.StorageMigrating {
			got = fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
		}
	}
	if got != condition || fmt.Sprint(crd.Status.StoredVersions) != fmt.Sprint(storedVersions) {
		w.t.Errorf("the definition says %q, stored versions %v; want %q, %v", got, crd.Status.StoredVersions, condition, storedVersions)
	}
}
