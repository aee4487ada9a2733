package garbagecollector_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/internal/clustertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

type object = clustertest.Object

func start(t *testing.T) *clustertest.Cluster {
	t.Helper()
	return clustertest.Start(t, apiservertest.Options{Controllers: controllers.ForTest(garbagecollector.Name)})
}

// config makes a ConfigMap that owners own; those whose names begin with "block " they block.
func config(c *clustertest.Cluster, name string, owners ...any) *object {
	return c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", " + owned(owners...) + "}}")
}

// owned are ownerReferences to objects; "blocking" before one makes it a blocking one.
func owned(owners ...any) string {
	var refs []string
	block := false
	for _, o := range owners {
		owner, ok := o.(*object)
		if !ok {
			block = true
			continue
		}
		refs = append(refs, fmt.Sprintf("{apiVersion: %s, kind: %s, name: %s, uid: %s, blockOwnerDeletion: %v}",
			owner.GetAPIVersion(), owner.GetKind(), owner.GetName(), owner.GetUID(), block))
		block = false
	}
	return "ownerReferences: [" + strings.Join(refs, ", ") + "]"
}

const blocking = "blocking"

func TestCascade(t *testing.T) {
	c := start(t)
	for _, propagation := range []metav1.DeletionPropagation{"", "Background", "Foreground"} {
		a := config(c, "a")
		b := config(c, "b", a)
		d := c.Create("{apiVersion: v1, kind: Secret, metadata: {name: d, " + owned(b) + "}}")
		e := config(c, "e", d)
		bystander := config(c, "bystander")
		c.Remove(a, propagation)
		c.Gone(a, b, d, e)
		c.There(bystander)
		c.Remove(bystander, "")
	}
}

// In the foreground, those go first that block; a finalizer below holds all above.
func TestForegroundWaits(t *testing.T) {
	c := start(t)
	a := config(c, "a")
	b := config(c, "b", blocking, a)
	d := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: d, finalizers: [example.com/x], " + owned(blocking, b) + "}}")
	free := config(c, "free", a)
	c.Remove(a, "Foreground")
	c.Gone(free)
	c.Until(d, "is being deleted", func(now *object) bool { return now != nil && now.GetDeletionTimestamp() != nil })
	for _, waits := range []*object{a, b} {
		c.Until(waits, "waits", func(now *object) bool {
			return now != nil && fmt.Sprint(now.GetFinalizers()) == "[foregroundDeletion]" && now.GetDeletionTimestamp() != nil
		})
	}
	c.Release(d)
	c.Gone(d, b, a)
}

// Those who do not block do not hold their owner.
func TestForegroundDoesNotWaitForOthers(t *testing.T) {
	c := start(t)
	a := config(c, "a")
	b := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: b, finalizers: [example.com/x], " + owned(a) + "}}")
	c.Remove(a, "Foreground")
	c.Gone(a)
	c.Until(b, "is being deleted", func(now *object) bool { return now.GetDeletionTimestamp() != nil })
	c.Release(b)
	c.Gone(b)
}

// Who own each other and block each other can be deleted.
func TestCircle(t *testing.T) {
	c := start(t)
	a := config(c, "a")
	b := config(c, "b", blocking, a)
	a.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "b", UID: b.GetUID(), BlockOwnerDeletion: new(bool)}})
	*a.GetOwnerReferences()[0].BlockOwnerDeletion = true
	c.Must(c.Update(t.Context(), a))
	c.Remove(a, "Foreground")
	c.Gone(a, b)
}

func TestOrphans(t *testing.T) {
	c := start(t)
	a, other := config(c, "a"), config(c, "other")
	b := config(c, "b", a)
	d := config(c, "d", other, blocking, a)
	e := config(c, "e", b)
	c.Remove(a, "Orphan")
	c.Gone(a)
	c.There(b, d, e, other)
	if refs := c.Now(b).GetOwnerReferences(); len(refs) != 0 {
		t.Errorf("an orphan remembers %v", refs)
	}
	if refs := c.Now(d).GetOwnerReferences(); len(refs) != 1 || refs[0].Name != "other" {
		t.Errorf("who has another owner remembers %v", refs)
	}
}

// One owner is enough to stay; the others are forgotten when they go.
func TestSeveralOwners(t *testing.T) {
	c := start(t)
	a, b := config(c, "a"), config(c, "b")
	d := config(c, "d", a, b)
	c.Remove(a, "")
	c.Until(d, "forgets", func(now *object) bool { return now != nil && len(now.GetOwnerReferences()) == 1 })
	w := config(c, "w", a) // of an owner that has never been there while it was
	c.Gone(w)
	c.There(d)
	c.Remove(b, "Foreground")
	c.Gone(b, d)
}

// An owner that was made again is another one.
func TestSameNameOtherUID(t *testing.T) {
	c := start(t)
	a := config(c, "a")
	b := config(c, "b", a)
	c.Remove(a, "")
	again := config(c, "a")
	young := config(c, "young", again)
	c.Gone(b)
	old := config(c, "old", a)
	c.Gone(old)
	c.There(again, young)
}

// Owners are looked for in the dependent's namespace, or outside of all. Who errs is told so; what has no namespace is not
// deleted for that.
func TestNamespaces(t *testing.T) {
	c := start(t)
	ns := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
	owner := config(c, "owner")
	stranger := c.Create("{apiVersion: v1, kind: ConfigMap, metadata: {name: stranger, namespace: a, " + owned(owner) + "}}")
	c.Gone(stranger)
	wantEvent(t, c, "a", fmt.Sprintf(`ownerRef [v1/ConfigMap, namespace: a, name: owner, uid: %s] does not exist in namespace "a"`, owner.GetUID()))

	outside := c.Create("{apiVersion: v1, kind: Namespace, metadata: {name: outside, " + owned(owner) + "}}")
	wantEvent(t, c, "default", fmt.Sprintf(`ownerRef [v1/ConfigMap, namespace: , name: owner, uid: %s] does not exist in namespace ""`, owner.GetUID()))
	inside := config(c, "inside", ns)
	c.Remove(owner, "")
	c.Remove(ns, "")
	c.Release(ns)
	c.Must(c.SubResource("finalize").Update(t.Context(), emptied(c.Now(ns))))
	c.Gone(owner, ns, inside)
	c.There(outside)
}

func emptied(ns *object) *object {
	ns.Object["spec"] = map[string]any{}
	return ns
}

func wantEvent(t *testing.T, c *clustertest.Cluster, namespace, message string) {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("v1")
	list.SetKind("EventList")
	w, err := c.Watch(t.Context(), list, client.InNamespace(namespace), client.MatchingFields{"reason": "OwnerRefInvalidNamespace"})
	c.Must(err)
	defer w.Close()
	for {
		_, obj, err := w.Next(t.Context())
		c.Must(err)
		u := obj.(*object)
		if u.Object["message"] == message {
			return
		}
		t.Log(u.Object["message"])
	}
}

// Kinds come and go. Owners of a kind that nobody serves may be there; those whose kind has come back are not.
func TestKindsComeAndGo(t *testing.T) { kindsComeAndGo(start(t)) }

// The same where kinds without objects are not watched: their owners are known all the same, and their dependents soon.
func TestParkedKinds(t *testing.T) {
	run := func(ctx context.Context, transport http.RoundTripper) error {
		mgr, err := runtime.New(client.Config{Host: "http://server", Transport: transport}, runtime.Options{})
		if err != nil {
			return err
		}
		if err := garbagecollector.Setup(mgr, garbagecollector.Options{Park: 1, ParkPeriod: 20 * time.Millisecond}); err != nil {
			return err
		}
		return mgr.Run(ctx)
	}
	kindsComeAndGo(clustertest.Start(t, apiservertest.Options{Controllers: []apiservertest.Controller{run}}))
}

func kindsComeAndGo(c *clustertest.Cluster) {
	unserved := c.Create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: unserved, ownerReferences: [{apiVersion: example.com/v1, kind: Website, name: w, uid: u}]}}`)
	crd := c.Create(clustertest.Websites)
	c.Gone(unserved)
	site := c.Create("{apiVersion: example.com/v1, kind: Website, metadata: {name: w}}")
	page := config(c, "page", site)
	child := c.Create("{apiVersion: example.com/v1, kind: Website, metadata: {name: child, " + owned(page) + "}}")
	c.Remove(site, "")
	c.Gone(page, child)

	site = c.Create("{apiVersion: example.com/v1, kind: Website, metadata: {name: w}}")
	page = config(c, "page", site)
	c.Remove(crd, "")
	c.Gone(crd)
	c.Create(clustertest.Websites)
	c.Gone(page)
	site = c.Create("{apiVersion: example.com/v1, kind: Website, metadata: {name: w}}")
	page = config(c, "page", site)
	c.Remove(site, "Foreground")
	c.Gone(site, page)
}

func TestManyDependents(t *testing.T) {
	c := start(t)
	for _, propagation := range []metav1.DeletionPropagation{"Background", "Foreground", "Orphan"} {
		owner := config(c, "owner")
		var all []*object
		for i := range 1000 {
			all = append(all, config(c, fmt.Sprintf("%s-%d", strings.ToLower(string(propagation)), i), blocking, owner))
		}
		c.Remove(owner, propagation)
		c.Gone(owner)
		if propagation != "Orphan" {
			c.Gone(all...)
			continue
		}
		for _, one := range all {
			if len(c.Now(one).GetOwnerReferences()) != 0 {
				t.Fatal("an orphan remembers its owner")
			}
		}
	}
}

// Objects that cannot be converted, since the webhook for it is away, are owners and dependents like others.
func TestDeadConversionWebhook(t *testing.T) {
	c := start(t)
	c.Create(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shops, kind: Shop}
  conversion: {strategy: Webhook, webhook: {clientConfig: {url: "https://127.0.0.1:1/convert"}, conversionReviewVersions: [v1]}}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
`)
	top := config(c, "top")
	shop := c.Create("{apiVersion: example.com/v1, kind: Shop, metadata: {name: s, " + owned(blocking, top) + "}}")
	below := config(c, "below", shop)
	another := c.Create("{apiVersion: example.com/v1, kind: Shop, metadata: {name: t, " + owned(below) + "}}")
	kept := c.Create("{apiVersion: example.com/v1, kind: Shop, metadata: {name: u, " + owned(top, config(c, "other")) + "}}")
	c.Remove(top, "Foreground")
	c.Gone(top, shop, below, another)
	c.Until(kept, "forgets", func(now *object) bool { return len(now.GetOwnerReferences()) == 1 })
}
