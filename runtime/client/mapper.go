package client

import (
	"context"
	"net/http"
	"strings"
	"sync"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
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

// mapper knows the kinds of a server, by discovery on first use.
type mapper struct {
	get func(ctx context.Context, path, accept string, into any) (contentType string, err error)

	loading sync.Mutex // held by the one who asks the server

	mu    sync.RWMutex
	kinds map[schema.GroupVersionKind]Mapping
	loads int // how often kinds was loaded
}

func (m *mapper) known(gvk schema.GroupVersionKind) (Mapping, int, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found, ok := m.kinds[gvk]
	return found, m.loads, ok
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
	m.loading.Lock()
	defer m.loading.Unlock()
	found, now, ok := m.known(gvk)
	if !ok && now == loads {
		kinds, err := m.load(ctx)
		if err != nil {
			return Mapping{}, err
		}
		m.mu.Lock()
		m.kinds, m.loads = kinds, m.loads+1
		found, ok = kinds[gvk]
		m.mu.Unlock()
	}
	if !ok {
		return Mapping{}, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	}
	return found, nil
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

func (m *mapper) load(ctx context.Context) (map[schema.GroupVersionKind]Mapping, error) {
	kinds := map[schema.GroupVersionKind]Mapping{}
	for _, root := range []string{"/api", "/apis"} {
		// Either form of the answer fits in one struct: their fields differ.
		var answer struct {
			Items    []apidiscoveryv2.APIGroupDiscovery `json:"items"`
			Versions []string                           `json:"versions"`
			Groups   []metav1.APIGroup                  `json:"groups"`
		}
		contentType, err := m.get(ctx, root, aggregated, &answer)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.Contains(contentType, "g=apidiscovery.k8s.io") {
			addAggregated(kinds, answer.Items)
			continue
		}
		versions := answer.Versions
		for _, group := range answer.Groups {
			for _, v := range group.Versions {
				versions = append(versions, v.GroupVersion)
			}
		}
		for _, v := range versions {
			if err := m.addLegacy(ctx, kinds, root, v); err != nil {
				return nil, err
			}
		}
	}
	return kinds, nil
}

func addAggregated(kinds map[schema.GroupVersionKind]Mapping, groups []apidiscoveryv2.APIGroupDiscovery) {
	for _, group := range groups {
		for _, version := range group.Versions {
			for _, r := range version.Resources {
				if r.ResponseKind == nil {
					continue
				}
				gvk := schema.GroupVersionKind{Group: group.Name, Version: version.Version, Kind: r.ResponseKind.Kind}
				kinds[gvk] = Mapping{
					Resource:   schema.GroupVersionResource{Group: group.Name, Version: version.Version, Resource: r.Resource},
					Namespaced: r.Scope == apidiscoveryv2.ScopeNamespace,
				}
			}
		}
	}
}

func (m *mapper) addLegacy(ctx context.Context, kinds map[schema.GroupVersionKind]Mapping, root, version string) error {
	gv, err := schema.ParseGroupVersion(version)
	if err != nil {
		return nil //nolint:nilerr // a server may serve what has no kinds for us
	}
	var list metav1.APIResourceList
	_, err = m.get(ctx, root+"/"+version, "application/json", &list)
	if apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err) {
		return nil // an aggregated server that is away takes its own kinds along, no others
	}
	if err != nil {
		return err
	}
	for _, r := range list.APIResources {
		if !strings.Contains(r.Name, "/") {
			kinds[gv.WithKind(r.Kind)] = Mapping{Resource: gv.WithResource(r.Name), Namespaced: r.Namespaced}
		}
	}
	return nil
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
