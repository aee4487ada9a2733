package discovery

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/version"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// groupPriorities are those of the APIService objects by which kube-apiserver orders its own groups.
var groupPriorities = map[string]int{
	"":                             18000,
	"apiregistration.k8s.io":       17900,
	"apps":                         17800,
	"events.k8s.io":                17750,
	"authentication.k8s.io":        17700,
	"authorization.k8s.io":         17600,
	"autoscaling":                  17500,
	"batch":                        17400,
	"certificates.k8s.io":          17300,
	"networking.k8s.io":            17200,
	"policy":                       17100,
	"rbac.authorization.k8s.io":    17000,
	"storage.k8s.io":               16800,
	"apiextensions.k8s.io":         16700,
	"admissionregistration.k8s.io": 16700,
	"scheduling.k8s.io":            16600,
	"coordination.k8s.io":          16500,
	"node.k8s.io":                  16300,
	"discovery.k8s.io":             16200,
	"flowcontrol.apiserver.k8s.io": 16100,
	"internal.apiserver.k8s.io":    16000,
	"resource.k8s.io":              15900,
	"storagemigration.k8s.io":      15800,
}

// otherPriority is that of a group that nobody ranked: the groups of custom resources.
const otherPriority = 1000

func (s *Server) priority(group string) int {
	if p, ok := s.options.GroupPriorities[group]; ok {
		return p
	}
	if p, ok := groupPriorities[group]; ok {
		return p
	}
	return otherPriority
}

// orderedGroups returns the names of all groups, the highest priority first.
func (s *Server) orderedGroups() []string {
	groups := s.catalog.Groups() // alphabetical already
	slices.SortStableFunc(groups, func(a, b string) int { return cmp.Compare(s.priority(b), s.priority(a)) })
	return groups
}

// servedVersions returns the versions in which any of defs is served, the preferred one first.
func servedVersions(defs []*resource.Definition) []string {
	var out []string
	for _, d := range defs {
		for i := range d.Versions {
			if v := &d.Versions[i]; v.Served && !slices.Contains(out, v.Name) {
				out = append(out, v.Name)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return version.CompareKubeAwareVersionStrings(b, a) })
	return out
}
