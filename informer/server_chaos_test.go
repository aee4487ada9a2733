package informer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/informer"
)

// reader is an informer under test, with a handler that believes what it is told.
type reader struct {
	name       string
	inf        *informer.Informer[informer.Object]
	sees       *mirror
	slow       *mirror
	namespaces []string
	path       string // of a list of what it is to have
}

func newReader(t *testing.T, w *world, name string, cfg informer.Config[informer.Object]) *reader {
	cfg.Source = w.client().Source()
	cfg.New = func() informer.Object { return &unstructured.Unstructured{} }
	if cfg.Scope.MetadataOnly {
		cfg.New = func() informer.Object { return &metav1.PartialObjectMetadata{} }
	}
	cfg.Scope.GVK = things
	r := &reader{name: name, inf: informer.New(cfg), namespaces: cfg.Scope.Namespaces()}
	r.sees = &mirror{t: t, has: map[string]string{}}
	r.slow = &mirror{t: t, has: map[string]string{}, slow: 300 * time.Millisecond}
	for _, m := range []*mirror{r.sees, r.slow} {
		r.inf.AddHandler(func(c informer.Change[informer.Object]) { m.told(c.Type, c.Old, c.New) })
	}
	q := url.Values{}
	if s := cfg.Scope.LabelSelector; s != "" {
		q.Set("labelSelector", s)
	}
	if s := cfg.Scope.FieldSelector; s != "" {
		q.Set("fieldSelector", s)
	}
	r.path = "?" + q.Encode()
	return r
}

// readers of all forms and scopes.
func readers(t *testing.T, w *world) []*reader {
	scope := informer.Scope{}
	return []*reader{
		newReader(t, w, "all", informer.Config[informer.Object]{}),
		newReader(t, w, "compact", informer.Config[informer.Object]{Compact: true, WatchTimeout: 10 * time.Second}),
		newReader(t, w, "pages", informer.Config[informer.Object]{NoStreaming: true, PageSize: 7}),
		newReader(t, w, "metadata", informer.Config[informer.Object]{Scope: informer.Scope{MetadataOnly: true}}),
		newReader(t, w, "red ones", informer.Config[informer.Object]{Scope: informer.Scope{LabelSelector: "color=red"}}),
		newReader(t, w, "one by name", informer.Config[informer.Object]{Scope: informer.Scope{FieldSelector: "metadata.name=thing-1"}}),
		newReader(t, w, "two namespaces", informer.Config[informer.Object]{Scope: scope.In("c", "a"), Compact: true}),
	}
}

// check compares a reader with the server's lists.
func (r *reader) check(t *testing.T, w *world) {
	t.Helper()
	want := map[string]*unstructured.Unstructured{}
	for _, ns := range r.namespaces {
		path := collectionPath
		if ns != "" {
			path = inNamespace(ns)
		}
		var list struct{ Items []map[string]any }
		if err := json.Unmarshal(w.do("GET", path+r.path, "", 200), &list); err != nil {
			t.Fatal(err)
		}
		for _, content := range list.Items {
			u := &unstructured.Unstructured{Object: content}
			u.SetManagedFields(nil)
			want[u.GetNamespace()+"/"+u.GetName()] = u
		}
	}
	n := 0
	for o := range r.inf.Snapshot().List("") {
		n++
		is := want[o.GetNamespace()+"/"+o.GetName()]
		if is == nil || is.GetResourceVersion() != o.GetResourceVersion() {
			t.Errorf("%s: has %s at %s, which the server has not", r.name, o.GetName(), o.GetResourceVersion())
			continue
		}
		if u, ok := o.(*unstructured.Unstructured); ok && !equalJSON(t, u, is) {
			t.Errorf("%s: has %v, the server %v", r.name, u, is)
		}
	}
	if n != len(want) {
		t.Errorf("%s: has %d objects, the server %d; %+v", r.name, n, len(want), r.inf.Report())
	}
	for _, m := range []*mirror{r.sees, r.slow} {
		if len(m.has) != len(want) {
			t.Errorf("%s: a handler knows %d objects, the server %d", r.name, len(m.has), len(want))
		}
		for key, rv := range m.has {
			if want[key] == nil || want[key].GetResourceVersion() != rv {
				t.Errorf("%s: a handler believes in %s at %s", r.name, key, rv)
			}
		}
	}
}

// equalJSON compares what two objects are in JSON.
func equalJSON(t *testing.T, a, b *unstructured.Unstructured) bool {
	t.Helper()
	var values [2]any
	for i, u := range []*unstructured.Unstructured{a, b} {
		data, err := u.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(data, &values[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// TestServerChaos has the real server restart, forget, refuse, slow down and cut streams while objects change. Then each
// informer must have what the server has, and its handlers must have been told of it in an order that makes sense.
// synctest finds goroutines that are left.
func TestServerChaos(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { serverChaos(t, seed) })
		})
	}
}

func serverChaos(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	defer w.close()
	w.do("POST", crdPath, thingCRD, 201)
	for _, ns := range []string{"a", "b", "c"} {
		w.do("POST", "/api/v1/namespaces", `{"metadata":{"name":"`+ns+`"}}`, 201)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	for range 40 {
		w.write(r)
	}
	all := readers(t, w)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, one := range all {
		running.Go(func() { _ = one.inf.Run(ctx) })
	}
	w.setTrouble(15)
	for step := range 120 {
		w.write(r)
		switch n := r.IntN(40); {
		case n < 2:
			w.down()
			time.Sleep(time.Duration(r.IntN(20)) * time.Second)
			w.start()
		case n < 4:
			w.compact()
			w.cut()
		case n < 6:
			w.cut()
		case n == 6 && step > 60:
			w.do("DELETE", crdPath+"/things.example.com", "", 200)
			time.Sleep(time.Duration(r.IntN(60)) * time.Second)
			for !bytes.Contains(w.do("POST", crdPath, thingCRD, 201, 409), []byte(`"CustomResourceDefinition"`)) {
				time.Sleep(time.Second) // it is still being deleted
			}
		}
		time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
	}
	w.setTrouble(0)
	time.Sleep(10 * time.Minute)
	synctest.Wait()
	for _, one := range all {
		one.check(t, w)
		if report := one.inf.Report(); report.State != "watch" || report.Pending != 0 {
			t.Errorf("%s: %+v", one.name, report)
		}
	}
	stop()
	running.Wait()
}
