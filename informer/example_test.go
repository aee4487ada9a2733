package informer_test

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/informer"
)

// run runs something until the returned function is called.
func run(r interface{ Run(context.Context) error }) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

func Example() {
	server := newCollection() // a Source; runtime/client has one over HTTP
	server.put("default", "web", "1")
	inf := informer.New(informer.Config[*unstructured.Unstructured]{
		Source: server,
		Scope:  informer.Scope{GVK: widgets},
	})
	changes := make(chan string)
	inf.AddHandler(func(c informer.Change[*unstructured.Unstructured]) {
		changes <- fmt.Sprint(c.Type, " ", c.Object().GetName())
	})
	stop := run(inf)
	fmt.Println(<-changes)

	revision := server.put("default", "db", "2")
	_ = inf.WaitForRevision(context.Background(), revision) // from here on, reads show what was written
	for o := range inf.Snapshot().List("default") {
		fmt.Println("has", o.GetName())
	}
	fmt.Println(<-changes)
	stop()
	// Output:
	// ADDED web
	// has db
	// has web
	// ADDED db
}

// Compact keeps objects encoded. What is read is the reader's own.
func ExampleConfig_compact() {
	server := newCollection()
	server.put("default", "web", "1")
	inf := informer.New(informer.Config[*unstructured.Unstructured]{
		Source:  server,
		Scope:   informer.Scope{GVK: widgets},
		Compact: true,
	})
	defer run(inf)()
	_ = inf.WaitSynced(context.Background())
	mine, _ := inf.Get("default", "web")
	mine.SetLabels(map[string]string{"changed": "yes"})
	again, _ := inf.Get("default", "web")
	fmt.Println(mine.GetLabels(), again.GetLabels())
	// Output: map[changed:yes] map[]
}

// One informer may follow some namespaces, with rights to no others.
func ExampleScope_In() {
	server := newCollection()
	server.put("team-a", "web", "1")
	server.put("team-b", "db", "1")
	server.put("kube-system", "dns", "1")
	inf := informer.New(informer.Config[*unstructured.Unstructured]{
		Source: server,
		Scope:  informer.Scope{GVK: widgets}.In("team-a", "team-b"),
	})
	defer run(inf)()
	_ = inf.WaitSynced(context.Background())
	for o := range inf.Snapshot().List("") {
		fmt.Println(o.GetNamespace(), o.GetName())
	}
	// Output:
	// team-a web
	// team-b db
}

// An index finds objects by what their author likes; by Meta it costs no decoding in compact mode.
func ExampleInformer_AddMetaIndex() {
	server := newCollection()
	server.raw("default", "web-1", `{"metadata":{"namespace":"default","name":"web-1","ownerReferences":[{"kind":"Site","name":"web","uid":"1"}]}}`)
	server.raw("default", "db-1", `{"metadata":{"namespace":"default","name":"db-1","ownerReferences":[{"kind":"Database","name":"db","uid":"2"}]}}`)
	inf := informer.New(informer.Config[*metav1.PartialObjectMetadata]{
		Source: server,
		Scope:  informer.Scope{GVK: widgets, MetadataOnly: true},
	})
	inf.AddMetaIndex("owner", func(m informer.Meta) (uids []string) {
		for _, ref := range m.GetOwnerReferences() {
			uids = append(uids, string(ref.UID))
		}
		return uids
	})
	defer run(inf)()
	_ = inf.WaitSynced(context.Background())
	for o := range inf.Snapshot().ByIndex("owner", "2") {
		fmt.Println(o.GetName())
	}
	// Output: db-1
}

// After a write, a reader that waits for it never sees something older.
func ExampleInformer_WaitForWrite() {
	server := newCollection()
	inf := informer.New(informer.Config[*unstructured.Unstructured]{
		Source: server,
		Scope:  informer.Scope{GVK: widgets}.In("a", "b"),
	})
	defer run(inf)()
	revision := server.put("b", "web", "1") // as the server's answer says
	if err := inf.WaitForWrite(context.Background(), "b", revision); err != nil {
		fmt.Println(err)
	}
	_, there := inf.Get("b", "web")
	fmt.Println(there)
	// Output: true
}

// Select looks at metadata before it decodes anything.
func ExampleSnapshot_Select() {
	server := newCollection()
	for _, name := range []string{"web-1", "web-2", "db-1"} {
		server.put("default", name, "")
	}
	inf := informer.New(informer.Config[*unstructured.Unstructured]{Source: server, Scope: informer.Scope{GVK: widgets}, Compact: true})
	defer run(inf)()
	_ = inf.WaitSynced(context.Background())
	for o := range inf.Snapshot().Select(informer.Query{Namespace: "default", Match: func(m informer.Meta) bool { return m.GetName() > "web" }}) {
		fmt.Println(o.GetName())
	}
	// Output:
	// web-1
	// web-2
}

// Several parties share an informer, which stops when the last one has no more use for it.
func ExampleShared() {
	server := newCollection()
	server.put("default", "web", "1")
	shared := informer.NewShared(server)
	defer run(shared)()
	cfg := informer.Config[*unstructured.Unstructured]{Scope: informer.Scope{GVK: widgets}, Compact: true}
	one, releaseOne := informer.Acquire(shared, cfg)
	two, releaseTwo := informer.Acquire(shared, cfg)
	_ = one.WaitSynced(context.Background())
	for _, r := range shared.Report() {
		fmt.Println(one == two, r.Scope, r.Users, "users,", r.Objects, "object")
	}
	releaseOne()
	releaseTwo()
	fmt.Println(len(shared.Report()), "informers")
	// Output:
	// true Widget.v1.example.com 2 users, 1 object
	// 0 informers
}

// A budget tells when informers take more memory than they are meant to.
func ExampleBudget() {
	server := newCollection()
	for i := range 100 {
		server.put("default", fmt.Sprint("web-", i), "some text")
	}
	budget := informer.NewBudget(10_000, func(_ int64, exceeded bool) { fmt.Println("exceeded:", exceeded) })
	inf := informer.New(informer.Config[*unstructured.Unstructured]{Source: server, Scope: informer.Scope{GVK: widgets}, Budget: budget})
	stop := run(inf)
	_ = inf.WaitSynced(context.Background())
	stop()
	fmt.Println(inf.Snapshot().Len(), "objects all the same")
	// Output:
	// exceeded: true
	// exceeded: false
	// 100 objects all the same
}
