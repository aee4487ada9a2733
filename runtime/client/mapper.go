package client

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Mapping is where a server serves a kind.
type Mapping struct {
	Resource   schema.GroupVersionResource
	Namespaced bool
}

// Served is one version in which a server serves a resource.
type Served struct {
	Kind schema.GroupVersionKind
	Mapping
	Verbs []string // "get", "list", ...
}

// mapper knows kinds of a server. It asks for one group and version at a time, on first use: a client needs a handful
// of kinds, and a server may have ten thousand.
type mapper struct {
	get func(ctx context.Context, path string, into any) error

	mu       sync.RWMutex
	kinds    map[schema.GroupVersionKind]*kind
	versions map[schema.GroupVersion]*version
}

func newMapper(get func(ctx context.Context, path string, into any) error) *mapper {
	return &mapper{get: get, kinds: map[schema.GroupVersionKind]*kind{}, versions: map[schema.GroupVersion]*version{}}
}

// kind is what is known of one.
type kind struct {
	Mapping
	// protobuf says that the server has answered in it, and so takes it.
	protobuf atomic.Bool
}

// version is a group's version that the server was asked about.
type version struct {
	loads  int       // how often it has answered
	last   time.Time // when it was asked last
	asking *question // nil where nobody asks
}

// question is one on its way.
type question struct {
	done chan struct{}
	err  error // once done: why there is no answer; nil where only its asker went away
}

// reload is the shortest time between two questions about one version: whoever asks for a kind that is not there, over
// and over, waits so long, and is told the truth then.
const reload = 100 * time.Millisecond

func (m *mapper) known(gvk schema.GroupVersionKind) *kind {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.kinds[gvk]
}

// forget a kind that was not where it should be.
func (m *mapper) forget(gvk schema.GroupVersionKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kinds, gvk)
}

// find a kind, asking the server where it is not known. Who comes while another's question is on its way waits for that
// and then asks one of their own, all together: the kind may have come in between.
func (m *mapper) find(ctx context.Context, gvk schema.GroupVersionKind) (*kind, error) {
	if k := m.known(gvk); k != nil {
		return k, nil
	}
	gv := gvk.GroupVersion()
	enough := 0 // an answer after so many was asked for after this call began
	for first := true; ; first = false {
		m.mu.Lock()
		v := m.version(gv)
		if first {
			if enough = v.loads + 1; v.asking != nil {
				enough++
			}
		}
		k, loads, other, since := m.kinds[gvk], v.loads, v.asking, time.Since(v.last)
		if k == nil && loads < enough && other == nil {
			v.asking = &question{done: make(chan struct{})}
		}
		m.mu.Unlock()
		var err error
		switch {
		case k != nil:
			return k, nil
		case loads >= enough:
			return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
		case other == nil:
			err = m.ask(ctx, gv, v, reload-since)
		default:
			select {
			case <-other.done:
				err = other.err
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// version is that of gv, under mu.
func (m *mapper) version(gv schema.GroupVersion) *version {
	v := m.versions[gv]
	if v == nil {
		v = &version{}
		m.versions[gv] = v
	}
	return v
}

// ask is load after a wait, by the one who has made v.asking.
func (m *mapper) ask(ctx context.Context, gv schema.GroupVersion, v *version, wait time.Duration) (err error) {
	if sleep(ctx, wait) {
		_, err = m.load(ctx, gv)
	} else {
		err = context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		v.loads++
	} else if ctx.Err() == nil {
		v.asking.err = err
	}
	v.last = time.Now()
	close(v.asking.done)
	v.asking = nil
	return err
}

// load asks what a group has in a version, and remembers it. A version that is not served has nothing.
func (m *mapper) load(ctx context.Context, gv schema.GroupVersion) ([]Served, error) {
	var list metav1.APIResourceList
	if err := m.get(ctx, groupPath(gv.Group)+"/"+gv.Version, &list); err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	var served []Served
	for _, r := range list.APIResources {
		if !strings.Contains(r.Name, "/") {
			at := Mapping{Resource: gv.WithResource(r.Name), Namespaced: r.Namespaced}
			served = append(served, Served{Kind: gv.WithKind(r.Kind), Mapping: at, Verbs: r.Verbs})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range served {
		if old := m.kinds[s.Kind]; old == nil || old.Mapping != s.Mapping {
			m.kinds[s.Kind] = &kind{Mapping: s.Mapping}
		}
	}
	return served, nil
}

// resource asks in which versions a resource is served, preferred ones first.
func (m *mapper) resource(ctx context.Context, gr schema.GroupResource) ([]Served, error) {
	versions := []string{"v1"} // the core group's
	if gr.Group != "" {
		var group metav1.APIGroup
		if err := m.get(ctx, groupPath(gr.Group), &group); apierrors.IsNotFound(err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		versions = versionsOf(group)
	}
	var found []Served
	for _, version := range versions {
		served, err := m.load(ctx, schema.GroupVersion{Group: gr.Group, Version: version})
		if err != nil {
			return nil, err
		}
		for _, s := range served {
			if s.Resource.Resource == gr.Resource {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

// versionsOf a group, the preferred one first.
func versionsOf(group metav1.APIGroup) []string {
	versions := []string{group.PreferredVersion.Version}
	for _, v := range group.Versions {
		if v.Version != versions[0] {
			versions = append(versions, v.Version)
		}
	}
	return versions
}

// groupPath is where a group is served.
func groupPath(group string) string {
	if group == "" {
		return "/api"
	}
	return "/apis/" + group
}
