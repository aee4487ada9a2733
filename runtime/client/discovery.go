package client

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// aggregatedType is the whole discovery of /api or /apis in one answer.
const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// groupList is an APIGroupDiscoveryList, as far as it is needed.
type groupList struct {
	Kind  string `json:"kind"`
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Versions []struct {
			Version   string `json:"version"`
			Freshness string `json:"freshness"`
			Resources []struct {
				Resource     string `json:"resource"`
				Scope        string `json:"scope"`
				ResponseKind struct {
					Kind string `json:"kind"`
				} `json:"responseKind"`
				Verbs []string `json:"verbs"`
			} `json:"resources"`
		} `json:"versions"`
	} `json:"items"`
}

// StaleError says that a server knew some groups only by what it once was told, or not at all: whoever serves them behind
// it (an APIService) is away.
type StaleError struct{ GroupVersions []schema.GroupVersion }

func (e *StaleError) Error() string {
	var groups []string
	for _, gv := range e.GroupVersions {
		groups = append(groups, fmt.Sprintf("%[1]s: stale GroupVersion discovery: %[1]s", gv))
	}
	slices.Sort(groups)
	return "unable to retrieve the complete list of server APIs: " + strings.Join(groups, ", ")
}

// Resources asks what the server serves: each resource in the version that the server prefers, ordered by group and
// name, without subresources. Errors: a *StaleError beside those of the other groups; those of the server (which must
// have aggregated discovery: Kubernetes 1.30 or later).
func (d *Direct) Resources(ctx context.Context) ([]Served, error) {
	found := map[schema.GroupResource]Served{}
	var stale []schema.GroupVersion
	for _, path := range []string{"/api", "/apis"} {
		data, _, err := d.do(ctx, request{method: http.MethodGet, path: path, accept: aggregatedType})
		if err != nil {
			return nil, err
		}
		var list groupList
		if err := utiljson.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("discovery: %s: %w", path, err)
		}
		if list.Kind != "APIGroupDiscoveryList" {
			return nil, fmt.Errorf("discovery: %s: the server answers with a %q", path, list.Kind)
		}
		stale = append(stale, list.preferred(found)...)
	}
	served := slices.SortedFunc(maps.Values(found), func(a, b Served) int {
		return strings.Compare(a.Resource.Group+" "+a.Resource.Resource, b.Resource.Group+" "+b.Resource.Resource)
	})
	if len(stale) > 0 {
		return served, &StaleError{stale}
	}
	return served, nil
}

// preferred adds to found what the list has in the first version of each, and returns the versions of which the server
// is not sure.
func (l *groupList) preferred(found map[schema.GroupResource]Served) (stale []schema.GroupVersion) {
	for _, group := range l.Items {
		for _, version := range group.Versions {
			gv := schema.GroupVersion{Group: group.Metadata.Name, Version: version.Version}
			if version.Freshness == "Stale" {
				stale = append(stale, gv)
				continue
			}
			for _, r := range version.Resources {
				gr := schema.GroupResource{Group: gv.Group, Resource: r.Resource}
				if _, ok := found[gr]; ok || r.ResponseKind.Kind == "" {
					continue
				}
				found[gr] = Served{
					Kind: gv.WithKind(r.ResponseKind.Kind), Verbs: r.Verbs,
					Mapping: Mapping{Resource: gv.WithResource(r.Resource), Namespaced: r.Scope == "Namespaced"},
				}
			}
		}
	}
	return stale
}

// Can says whether all of verbs are served.
func (s Served) Can(verbs ...string) bool {
	return !slices.ContainsFunc(verbs, func(v string) bool { return !slices.Contains(s.Verbs, v) })
}
