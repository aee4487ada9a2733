package garbagecollector

import (
	"iter"
	"slices"
	"sync"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// graph is who owns whom. It knows no server: it is told what is seen, and tells whom to look at. Objects that own nothing
// and are owned by nobody are not in it.
//
// A node is an object as somebody names it: by kind, namespace, name and UID. Who names it wrongly, in another namespace
// say, has a node of its own, which is then found to be absent.
type graph struct {
	lookAt func(*node) // told with mu held

	mu    sync.Mutex
	nodes map[types.UID]*node // the first of those with a UID; others, in node.next, are mistakes
	kinds map[schema.GroupKind]*kind
}

// kind is a kind of objects, served or not.
type kind struct {
	served *client.Served // guarded by graph.mu
	watch  *watched       // guarded by graph.mu; nil while nobody watches it
}

// state is what is known of the existence of a node's object.
type state uint8

const (
	unknown state = iota // it is somebody's owner, and has not been seen
	present
	absent // for good: a UID does not come back
)

// node is guarded by the graph's mu, but for what never changes.
type node struct {
	kind            *kind     // never changes
	namespace, name string    // never change
	uid             types.UID // never changes
	next            *node

	owners     []edge // as last seen; in the lists of their owners, so they stay where they are
	dependents *edge  // the first of those to the node
	blocking   int32  // dependents that block the object's foreground deletion, counted as often as they say so
	state      state
	deleting   bool // it has a deletionTimestamp
	foreground bool // deleting, after its dependents
	orphaning  bool // deleting, without its dependents
	mistaken   bool // absent, and the UID is that of an object elsewhere
}

// edge is a reference to an owner, in the list of all to the same.
type edge struct {
	from       *node
	to         *node // nil: a kind in namespaces, of which an object without one can own none
	prev, next *edge
	blocks     bool
}

func newGraph(lookAt func(*node)) *graph {
	return &graph{lookAt: lookAt, nodes: map[types.UID]*node{}, kinds: map[schema.GroupKind]*kind{}}
}

// kindOf is the kind of that name, which may not be served. It requires mu.
func (g *graph) kindOf(gk schema.GroupKind) *kind {
	k := g.kinds[gk]
	if k == nil {
		k = &kind{}
		g.kinds[gk] = k
	}
	return k
}

// find requires mu.
func (g *graph) find(k *kind, namespace, name string, uid types.UID) *node {
	n := g.nodes[uid]
	for n != nil && (n.kind != k || n.name != name || n.namespace != namespace) {
		n = n.next
	}
	return n
}

// add requires mu.
func (g *graph) add(n *node) *node {
	n.next = g.nodes[n.uid]
	g.nodes[n.uid] = n
	return n
}

// dropUnused takes a node out that tells nothing. It requires mu.
func (g *graph) dropUnused(n *node) {
	if len(n.owners) > 0 || n.dependents != nil || n.foreground || n.orphaning {
		return
	}
	at := g.nodes[n.uid]
	if at == n {
		if n.next != nil {
			g.nodes[n.uid] = n.next
		} else {
			delete(g.nodes, n.uid)
		}
		return
	}
	for ; at != nil; at = at.next {
		if at.next == n {
			at.next = n.next
			return
		}
	}
}

// seen takes in an object as it is now.
func (g *graph) seen(k *kind, m informer.Meta) {
	g.mu.Lock()
	defer g.mu.Unlock()
	finalizers, deleting := m.GetFinalizers(), m.GetDeletionTimestamp() != nil
	foreground := deleting && slices.Contains(finalizers, metav1.FinalizerDeleteDependents)
	orphaning := deleting && slices.Contains(finalizers, metav1.FinalizerOrphanDependents)
	refs := m.GetOwnerReferences()
	n := g.find(k, m.GetNamespace(), m.GetName(), m.GetUID())
	if n == nil {
		if len(refs) == 0 && !foreground && !orphaning {
			return
		}
		n = g.add(&node{kind: k, namespace: unique.Make(m.GetNamespace()).Value(), name: m.GetName(), uid: m.GetUID()})
	}
	was := *n
	n.state, n.deleting, n.foreground, n.orphaning = present, deleting, foreground, orphaning
	g.setOwners(n, refs)
	switch {
	case orphaning && !was.orphaning:
		g.lookAt(n)
	case foreground && !was.foreground:
		g.lookAtDependents(n)
		g.lookAt(n)
	case was.state == unknown:
		g.lookAtDependents(n) // they have waited to know
	}
	g.dropUnused(n)
}

// gone takes in that an object is there no longer.
func (g *graph) gone(k *kind, m informer.Meta) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.find(k, m.GetNamespace(), m.GetName(), m.GetUID()); n != nil {
		g.remove(n)
	}
}

// notFound takes in what the server said of a node. elsewhere: there is an object with its UID, in another place.
func (g *graph) notFound(n *node, elsewhere bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for other := g.nodes[n.uid]; other != nil; other = other.next {
		elsewhere = elsewhere || other.state == present
	}
	n.mistaken = elsewhere
	g.remove(n)
}

func (g *graph) remove(n *node) {
	g.setOwners(n, nil)
	n.state, n.deleting, n.foreground, n.orphaning = absent, false, false, false
	g.lookAtDependents(n)
	g.dropUnused(n)
}

// doubt has an object looked at of which news may have been missed.
func (g *graph) doubt(k *kind, m informer.Meta) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.find(k, m.GetNamespace(), m.GetName(), m.GetUID()); n != nil {
		n.state = unknown
		g.lookAt(n)
	}
}

// doubtAll is doubt for all objects of a kind.
func (g *graph) doubtAll(k *kind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := range g.all() {
		if n.kind == k && n.state == present {
			n.state = unknown
			g.lookAt(n)
		}
	}
}

// serve takes in where kinds are served now; those that are not in served are not. Who may have waited for one is looked at.
func (g *graph) serve(served map[schema.GroupKind]*client.Served) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for gk := range served {
		g.kindOf(gk)
	}
	for gk, k := range g.kinds {
		k.served = served[gk]
	}
	for n := range g.all() {
		if n.state == unknown {
			g.lookAt(n)
		}
	}
}

// all yields the nodes. It requires mu.
func (g *graph) all() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, n := range g.nodes {
			for ; n != nil; n = n.next {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// servedAs says where a kind is served, nil where it is not.
func (g *graph) servedAs(k *kind) *client.Served {
	g.mu.Lock()
	defer g.mu.Unlock()
	return k.served
}

// reset forgets everything.
func (g *graph) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.nodes)
	clear(g.kinds)
}

func (g *graph) lookAtDependents(n *node) {
	for e := n.dependents; e != nil; e = e.next {
		g.lookAt(e.from)
	}
}

// setOwners requires mu.
func (g *graph) setOwners(n *node, refs []metav1.OwnerReference) {
	if len(refs) == 0 && len(n.owners) == 0 {
		return
	}
	old := n.owners
	n.owners = nil
	if len(refs) > 0 {
		n.owners = make([]edge, len(refs))
	}
	for i := range refs {
		e := &n.owners[i]
		*e = edge{from: n, to: g.owner(n, &refs[i]), blocks: refs[i].BlockOwnerDeletion != nil && *refs[i].BlockOwnerDeletion}
		e.link()
		if !slices.ContainsFunc(old, func(o edge) bool { return o.to == e.to }) {
			g.lookAtNew(e)
		}
	}
	for i := range old {
		g.unlink(&old[i])
	}
}

func (e *edge) link() {
	if e.to == nil {
		return
	}
	if e.next = e.to.dependents; e.next != nil {
		e.next.prev = e
	}
	e.to.dependents = e
	if e.blocks {
		e.to.blocking++
	}
}

// lookAtNew has those looked at to whom a reference that was not there before makes a difference. It requires mu.
func (g *graph) lookAtNew(e *edge) {
	switch {
	case e.to == nil || e.to.state == absent || e.to.foreground:
		g.lookAt(e.from)
	case e.to.state == unknown && e.next == nil: // the first to name it
		g.lookAt(e.to)
	}
}

// unlink requires mu.
func (g *graph) unlink(e *edge) {
	if e.to == nil {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		e.to.dependents = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	if e.blocks {
		if e.to.blocking--; e.to.blocking == 0 && e.to.foreground {
			g.lookAt(e.to)
		}
	}
	g.dropUnused(e.to)
}

// owner is the node that n means by a reference; nil where it cannot mean any. It requires mu.
func (g *graph) owner(n *node, ref *metav1.OwnerReference) *node {
	gv, _ := schema.ParseGroupVersion(ref.APIVersion) // refused by the server, where it is none
	k := g.kindOf(schema.GroupKind{Group: gv.Group, Kind: ref.Kind})
	namespace := n.namespace
	if k.served != nil && !k.served.Namespaced {
		namespace = ""
	} else if k.served != nil && namespace == "" {
		return nil
	}
	if to := g.find(k, namespace, ref.Name, ref.UID); to != nil {
		return to
	}
	return g.add(&node{kind: k, namespace: namespace, name: ref.Name, uid: ref.UID})
}
