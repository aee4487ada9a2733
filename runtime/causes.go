package runtime

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/runtime/client"
)

// CauseType is what kind of thing caused a reconciliation.
type CauseType string

// The types of causes.
const (
	CauseInitial  CauseType = "Initial"  // the object was there when the watch on it began
	CauseAdded    CauseType = "Added"    // a watched object was created
	CauseModified CauseType = "Modified" // a watched object changed
	CauseDeleted  CauseType = "Deleted"  // a watched object is gone
	CauseSource   CauseType = "Source"   // a source of the author's, see Cause.Detail for its name
	CauseEnqueue  CauseType = "Enqueue"  // Controller.Enqueue was called
	CauseRetry    CauseType = "Retry"    // the last reconciliation failed with the error in Cause.Detail
	CauseRequeue  CauseType = "Requeue"  // the last reconciliation asked for another one
	CauseShard    CauseType = "Shard"    // this process became the owner of the request
)

// Cause is one reason for a reconciliation. It does not change.
type Cause struct {
	Type CauseType
	At   time.Time // when it was known
	// The watched object, where one caused it: what it is, and its resourceVersions before and after (Old is "" for one
	// that was added, New for one that is gone).
	Kind     schema.GroupVersionKind
	Object   types.NamespacedName
	Old, New string
	Detail   string

	before, after client.Object
}

// String is for people.
func (c *Cause) String() string {
	switch {
	case c.Kind.Kind == "" && c.Detail == "":
		return string(c.Type)
	case c.Kind.Kind == "":
		return fmt.Sprintf("%s: %s", c.Type, c.Detail)
	}
	name := strings.TrimPrefix(c.Object.String(), "/")
	return fmt.Sprintf("%s %s %s (%s -> %s)", c.Kind.Kind, name, strings.ToLower(string(c.Type)), orNone(c.Old), orNone(c.New))
}

func orNone(rv string) string {
	if rv == "" {
		return "none"
	}
	return rv
}

// Changed returns the paths at which the object changed, such as "spec.replicas" and "metadata.labels.app", in order.
// Lists count as a whole, managedFields and resourceVersion not at all. It is worked out by each call. Nil where the
// object was not Modified.
func (c *Cause) Changed() []string {
	if c.before == nil || c.after == nil {
		return nil
	}
	before, err := fields(c.before)
	if err != nil {
		return nil
	}
	after, err := fields(c.after)
	if err != nil {
		return nil
	}
	var paths []string
	changed("", before, after, &paths)
	slices.Sort(paths)
	return paths
}

func fields(obj client.Object) (map[string]any, error) {
	if u, ok := obj.(kruntime.Unstructured); ok {
		return u.UnstructuredContent(), nil
	}
	return kruntime.DefaultUnstructuredConverter.ToUnstructured(obj)
}

func changed(at string, before, after map[string]any, paths *[]string) {
	visit := func(name string, a, b any) {
		path := name
		if at != "" {
			path = at + "." + name
		}
		if path == "metadata.managedFields" || path == "metadata.resourceVersion" {
			return
		}
		from, ok := a.(map[string]any)
		to, both := b.(map[string]any)
		if ok && both {
			changed(path, from, to, paths)
		} else if !reflect.DeepEqual(a, b) {
			*paths = append(*paths, path)
		}
	}
	for name, value := range before {
		visit(name, value, after[name])
	}
	for name, value := range after {
		if _, there := before[name]; !there {
			visit(name, nil, value)
		}
	}
}

// Causes tell why a reconciliation runs. They do not change.
type Causes struct {
	Request Request
	// List holds them in the order in which they came. Where there were very many, Omitted of them are missing from its
	// middle.
	List    []*Cause
	Omitted int
	// Queued is how long ago the first of them was known; delays count. Waited is how long the request was ready before
	// the reconciliation began.
	Queued, Waited time.Duration
	Priority       int
	Failures       int // how often it failed since it last went well
}

// Has says whether any of the causes is of that type.
func (c *Causes) Has(t CauseType) bool {
	return slices.ContainsFunc(c.List, func(cause *Cause) bool { return cause.Type == t })
}

type causesKey struct{}

// CausesFrom returns the causes of the reconciliation whose context ctx is, nil outside of any.
func CausesFrom(ctx context.Context) *Causes {
	r, _ := ctx.Value(causesKey{}).(*running)
	if r == nil {
		return nil
	}
	return &r.causes
}

// A request has at most keptCauses of them: the first half of it, and the latest.
const keptCauses = 8

// causeList is several causes, as a queue's note. One alone is a *Cause.
type causeList struct {
	list    []*Cause
	omitted int
}

// mergeCauses is the Merge of a controller's queue.
func mergeCauses(waiting, added any) any {
	l, ok := waiting.(*causeList)
	if !ok {
		l = &causeList{list: append(make([]*Cause, 0, keptCauses), waiting.(*Cause))}
	}
	switch added := added.(type) {
	case *Cause:
		l.add(added)
	case *causeList:
		for _, c := range added.list {
			l.add(c)
		}
		l.omitted += added.omitted
	}
	return l
}

func (l *causeList) add(c *Cause) {
	if len(l.list) == keptCauses {
		copy(l.list[keptCauses/2:], l.list[keptCauses/2+1:])
		l.list = l.list[:keptCauses-1]
		l.omitted++
	}
	l.list = append(l.list, c)
}

// causesOf are those in the note of an item.
func causesOf(note any) (list []*Cause, omitted int) {
	switch note := note.(type) {
	case *Cause:
		return []*Cause{note}, 0
	case *causeList:
		return note.list, note.omitted
	}
	return nil, 0
}

// causeOf is the cause that an event of a watched kind is.
func causeOf(e Event, gvk schema.GroupVersionKind) *Cause {
	c := &Cause{At: time.Now(), Kind: gvk, Object: client.KeyOf(e.Object())}
	switch e.Type {
	case watch.Added:
		c.Type, c.New = CauseAdded, e.New.GetResourceVersion()
		if e.Initial {
			c.Type = CauseInitial
		}
	case watch.Deleted:
		c.Type, c.Old = CauseDeleted, e.Old.GetResourceVersion()
	default:
		c.Type, c.Old, c.New = CauseModified, e.Old.GetResourceVersion(), e.New.GetResourceVersion()
		c.before, c.after = e.Old, e.New
	}
	return c
}
