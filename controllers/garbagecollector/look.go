package garbagecollector

import "k8s.io/apimachinery/pkg/types"

// view is a node at a moment, for a worker.
type view struct {
	*node

	state                           state
	deleting, foreground, orphaning bool
	blocked                         bool // dependents hold up its foreground deletion
	parent, cyclic                  bool // it has dependents, and some that wait for their own
	// The owners, by what is to become of the object:
	solid             bool        // one of them is there, and keeps it
	invalid, unknown  bool        // one cannot be; one is not known yet
	dangling, waiting []types.UID // those that are gone; those that wait for their dependents to go
	mistaken          []types.UID // those of dangling that are elsewhere
}

// look returns the nodes of a UID: one, unless there are mistakes.
func (g *graph) look(uid types.UID) (views []view) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := g.nodes[uid]; n != nil; n = n.next {
		views = append(views, g.view(n))
	}
	return views
}

func (g *graph) view(n *node) view {
	v := view{
		node: n, state: n.state, deleting: n.deleting, foreground: n.foreground, orphaning: n.orphaning,
		blocked: n.blocking > 0, parent: n.dependents != nil,
	}
	for _, e := range n.owners {
		switch {
		case e.to == nil:
			v.invalid = true
		case e.to.state == unknown:
			v.unknown = true
		case e.to.state == absent:
			v.dangling = append(v.dangling, e.to.uid)
			if e.to.mistaken {
				v.mistaken = append(v.mistaken, e.to.uid)
			}
		case e.to.foreground:
			v.waiting = append(v.waiting, e.to.uid)
		default:
			v.solid = true
		}
	}
	if len(v.waiting) > 0 {
		for e := n.dependents; e != nil && !v.cyclic; e = e.next {
			v.cyclic = e.from.foreground
		}
	}
	return v
}

// dependentsOf are the nodes that name n as their owner now.
func (g *graph) dependentsOf(n *node) []*node {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*node
	for e := n.dependents; e != nil; e = e.next {
		all = append(all, e.from)
	}
	return all
}
