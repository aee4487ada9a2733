package client

import (
	"context"
	"net/http"
	"strings"
	"sync"

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

	loading chan struct{} // of capacity one: full while somebody asks the server

	mu    sync.RWMutex
	kinds map[schema.GroupVersionKind]Mapping
	loads map[schema.GroupVersion]int // how often each was loaded
}

func (m *mapper) known(gvk schema.GroupVersionKind) (Mapping, int, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found, ok := m.kinds[gvk]
	return found, m.loads[gvk.GroupVersion()], ok
}

// forget a kind that was not where it should be.
func (m *mapper) forget(gvk schema.GroupVersionKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kinds, gvk)
}

// find a kind, asking the server where it is not known. Who waits for another's question takes its answer.
func (m *mapper) find(ctx context.Context, gvk schema.GroupVersionKind) (Mapping, error) {
	found, loads, ok := m.known(gvk)
	if ok {
		return found, nil
	}
	select {
	case m.loading <- struct{}{}:
		defer func() { <-m.loading }()
	case <-ctx.Done():
		return Mapping{}, context.Cause(ctx)
	}
	found, now, ok := m.known(gvk)
	if !ok && now == loads {
		if _, err := m.load(ctx, gvk.GroupVersion()); err != nil {
			return Mapping{}, err
		}
		found, _, ok = m.known(gvk)
	}
	if !ok {
		return Mapping{}, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	}
	return found, nil
}

// load asks what a group has in a version, and remembers it. A version that is not served has nothing.
func (m *mapper) load(ctx context.Context, gv schema.GroupVersion) ([]Served, error) {
	var list metav1.APIResourceList
	if err := m.get(ctx, groupPath(gv.Group)+"/"+gv.Version, &list); err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kinds == nil {
		m.kinds, m.loads = map[schema.GroupVersionKind]Mapping{}, map[schema.GroupVersion]int{}
	}
	m.loads[gv]++
	var served []Served
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") {
			continue
		}
		s := Served{Kind: gv.WithKind(r.Kind), Mapping: Mapping{Resource: gv.WithResource(r.Name), Namespaced: r.Namespaced}, Verbs: r.Verbs}
		m.kinds[s.Kind] = s.Mapping
		served = append(served, s)
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
		versions = []string{group.PreferredVersion.Version}
		for _, v := range group.Versions {
			if v.Version != versions[0] {
				versions = append(versions, v.Version)
			}
		}
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

// groupPath is where a group is served.
func groupPath(group string) string {
	if group == "" {
		return "/api"
	}
	return "/apis/" + group
}

// wrongPlace reports whether err says that the path is not served, rather than that an object is missing.
func wrongPlace(err error) bool {
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code != http.StatusNotFound {
		return false
	}
	d := status.Status().Details
	return d == nil || d.Name == ""
}
