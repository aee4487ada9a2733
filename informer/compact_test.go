package informer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/informer"
)

// rich is an object with all that Meta tells.
const rich = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"a","uid":"u","resourceVersion":"7","generation":3,
"labels":{"app":"web"},"annotations":{"note":"a \"b\"\n"},"finalizers":["f/x"],"creationTimestamp":"2026-11-24T08:00:00Z",
"deletionTimestamp":"2026-11-25T08:00:00Z","managedFields":[{"manager":"m"}],
"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"rs","uid":"o","controller":true,"blockOwnerDeletion":false}]},
"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i","ports":[{"containerPort":80}]}]}}`

// raw has the collection hold an object as it is.
func (c *collection) raw(ns, name, data string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[ns+"/"+name] = []byte(data)
}

// read runs an informer of cfg over the collection until f has looked at it.
func read[T informer.Object](t *testing.T, c *collection, cfg informer.Config[T], f func(*informer.Informer[T])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.changed, c.kicked = make(chan struct{}), make(chan struct{}) // of the bubble
		cfg.Source = c
		inf := informer.New(cfg)
		defer run(inf)()
		if err := inf.WaitSynced(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(inf)
	})
}

// Whatever the form and type, an object is read as the ordinary decoder makes it, without managed fields.
func TestForms(t *testing.T) {
	for _, compact := range []bool{false, true} {
		t.Run(fmt.Sprint("compact ", compact), func(t *testing.T) {
			t.Run("unstructured", func(t *testing.T) { form[*unstructured.Unstructured](t, compact, nil) })
			t.Run("typed", func(t *testing.T) { form[*corev1.Pod](t, compact, nil) })
			t.Run("metadata", func(t *testing.T) { form[*metav1.PartialObjectMetadata](t, compact, nil) })
			t.Run("interface", func(t *testing.T) {
				form(t, compact, func() informer.Object { return &unstructured.Unstructured{} })
			})
		})
	}
}

func form[T informer.Object](t *testing.T, compact bool, fresh func() T) {
	c := newCollection()
	c.raw("a", "web", rich)
	cfg := informer.Config[T]{Scope: informer.Scope{GVK: corev1.SchemeGroupVersion.WithKind("Pod")}, Compact: compact, New: fresh}
	if fresh == nil {
		fresh = func() T { return reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T) }
	}
	want := fresh()
	if err := json.Unmarshal([]byte(rich), want); err != nil {
		t.Fatal(err)
	}
	want.SetManagedFields(nil)
	read(t, c, cfg, func(inf *informer.Informer[T]) {
		got, ok := inf.Get("a", "web")
		if !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %+v, not %+v", got, want)
		}
		sameMeta(t, inf.Snapshot().Meta("a", "web"), want)
		got.SetLabels(map[string]string{"changed": "by the reader"})
		again, _ := inf.Get("a", "web")
		if isCopy := again.GetLabels()["changed"] == ""; isCopy != compact {
			t.Errorf("a change by the reader is seen by others: %v", !isCopy)
		}
		mine, _ := inf.Snapshot().Copies().Get("a", "web")
		mine.SetName("mine")
		if again, _ := inf.Get("a", "web"); again.GetName() != "web" {
			t.Error("what Copies returned is shared")
		}
	})
}

func sameMeta(t *testing.T, got, want informer.Meta) {
	t.Helper()
	for i := range reflect.TypeFor[informer.Meta]().NumMethod() {
		method := reflect.TypeFor[informer.Meta]().Method(i).Name
		tell := func(m informer.Meta) any { return reflect.ValueOf(m).MethodByName(method).Call(nil)[0].Interface() }
		if !reflect.DeepEqual(tell(got), tell(want)) {
			t.Errorf("%s is %v, not %v", method, tell(got), tell(want))
		}
	}
}

// Indexes and handlers of Meta, and what Select matches, must work without decoding.
func TestMetaDecodesNothing(t *testing.T) {
	c := newCollection()
	c.raw("a", "web", rich)
	decoded := 0
	cfg := informer.Config[*corev1.Pod]{Scope: informer.Scope{GVK: corev1.SchemeGroupVersion.WithKind("Pod")}, Compact: true,
		Decode: func(_ string, data []byte) (*corev1.Pod, error) {
			decoded++
			pod := &corev1.Pod{}
			return pod, json.Unmarshal(data, pod)
		}}
	read(t, c, cfg, func(inf *informer.Informer[*corev1.Pod]) {
		inf.AddMetaIndex("owner", func(m informer.Meta) (uids []string) {
			for _, ref := range m.GetOwnerReferences() {
				uids = append(uids, string(ref.UID))
			}
			return uids
		})
		var seen []string
		inf.AddMetaHandler(func(ch informer.Change[informer.Meta]) { seen = append(seen, ch.Object().GetName()) })
		synctest.Wait()
		s := inf.Snapshot()
		owned := slices.Collect(s.MetasByIndex("owner", "o"))
		if len(owned) != 1 || len(slices.Collect(s.Metas("a"))) != 1 || !slices.Equal(seen, []string{"web"}) ||
			len(slices.Collect(s.Select(informer.Query{Match: func(m informer.Meta) bool { return m.GetLabels()["app"] == "db" }}))) != 0 {
			t.Error(owned, seen)
		}
		if decoded != 1 {
			t.Errorf("decoded %d times, where once, on arrival, is needed", decoded)
		}
		if pods := slices.Collect(s.ByIndex("owner", "o")); len(pods) != 1 || pods[0].Spec.NodeName != "n1" || decoded != 2 {
			t.Error(pods, decoded)
		}
	})
}

func TestTransform(t *testing.T) {
	for _, compact := range []bool{false, true} {
		c := newCollection()
		c.raw("a", "web", rich)
		c.put("a", "odd", "")
		var failed []error
		cfg := informer.Config[object]{Scope: informer.Scope{GVK: widgets}, Compact: compact,
			OnError: func(err error) { failed = append(failed, err) },
			Transform: func(o object) (object, error) {
				if o.GetName() == "odd" {
					return nil, errors.New("odd")
				}
				delete(o.Object, "spec")
				return o, nil
			}}
		read(t, c, cfg, func(inf *informer.Informer[object]) {
			o, _ := inf.Get("a", "web")
			if o == nil || o.Object["spec"] != nil || o.GetLabels()["app"] != "web" || inf.Snapshot().Len() != 1 || len(failed) != 1 {
				t.Error(o, failed)
			}
			if inf.Report().Failures != 1 {
				t.Errorf("report %+v", inf.Report())
			}
		})
	}
}

// Objects that the packer does not take must be stored all the same.
func TestOddJSON(t *testing.T) {
	for _, compact := range []bool{false, true} {
		c := newCollection()
		c.raw("a", "w", "{\"metadata\":{\"name\":\"w\",\"namespace\":\"a\",\"resourceVersion\":\"5\"},\"spec\":\"bad \xff byte\"}")
		c.raw("a", "broken", `{"metadata":{"name":"broken"`)
		c.raw("a", "nameless", `{"metadata":{"namespace":"a"}}`)
		read(t, c, informer.Config[object]{Scope: informer.Scope{GVK: widgets}, Compact: compact}, func(inf *informer.Informer[object]) {
			o, ok := inf.Get("a", "w")
			if !ok || o.Object["spec"] != "bad \ufffd byte" || o.GetKind() != "Widget" || inf.Snapshot().Len() != 1 {
				t.Error(o, inf.Snapshot().Len())
			}
			if r := inf.Report(); r.Failures != 2 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollection()
		for i := range 100 {
			c.put("a", fmt.Sprint(i), "some text")
		}
		var crossed []bool
		budget := informer.NewBudget(10_000, func(_ int64, exceeded bool) { crossed = append(crossed, exceeded) })
		s := informer.NewShared(c)
		stop := run(s)
		inf, release := informer.Acquire(s, informer.Config[object]{Scope: informer.Scope{GVK: widgets}, Compact: true, Budget: budget})
		synctest.Wait()
		r := s.Report()
		if len(r) != 1 || !r[0].OverBudget || r[0].Bytes != budget.Used() || r[0].Objects != 100 || r[0].Users != 1 || !budget.Exceeded() {
			t.Errorf("%+v, %d used", r, budget.Used())
		}
		for i := range 90 {
			c.delete("a", fmt.Sprint(i))
		}
		synctest.Wait()
		if inf.Report().OverBudget || !slices.Equal(crossed, []bool{true, false}) {
			t.Errorf("%+v, crossed %v", inf.Report(), crossed)
		}
		release()
		synctest.Wait()
		if budget.Used() != 0 {
			t.Errorf("%d bytes are used by nobody", budget.Used())
		}
		stop()
	})
}
