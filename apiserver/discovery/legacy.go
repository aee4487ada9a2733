package discovery

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// The verbs of a resource, in the order in which Kubernetes lists those of its own kinds and of custom ones.
var (
	builtinVerbs     = metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
	customVerbs      = metav1.Verbs{"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"}
	terminatingVerbs = metav1.Verbs{"delete", "deletecollection", "get", "list", "watch"}
	subresourceVerbs = metav1.Verbs{"get", "patch", "update"}
)

func verbsOf(d *resource.Definition) metav1.Verbs {
	verbs := builtinVerbs
	if d.Custom {
		verbs = customVerbs
	}
	if d.Terminating {
		verbs = terminatingVerbs
	}
	if d.NoDeleteCollection {
		verbs = slices.DeleteFunc(slices.Clone(verbs), func(v string) bool { return v == "deletecollection" })
	}
	return verbs
}

// apiVersions is the document at /api. It has no apiVersion in Kubernetes either.
func (s *Server) apiVersions(r *http.Request) *metav1.APIVersions {
	address := s.options.ServerAddress
	if address == "" {
		address = r.Host
	}
	versions := servedVersions(s.catalog.Group(""))
	if versions == nil {
		versions = []string{}
	}
	return &metav1.APIVersions{
		TypeMeta: metav1.TypeMeta{Kind: "APIVersions"},
		Versions: versions,
		ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{
			{ClientCIDR: "0.0.0.0/0", ServerAddress: address},
		},
	}
}

// groupList is the document at /apis.
func (s *Server) groupList() *metav1.APIGroupList {
	list := &metav1.APIGroupList{
		TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"},
		Groups:   []metav1.APIGroup{},
	}
	for _, name := range s.orderedGroups() {
		if g := s.group(name); g != nil {
			list.Groups = append(list.Groups, *g)
		}
	}
	return list
}

// group describes one named group; nil where it is not served.
func (s *Server) group(name string) *metav1.APIGroup {
	versions := servedVersions(s.catalog.Group(name))
	if name == "" || len(versions) == 0 {
		return nil
	}
	g := &metav1.APIGroup{Name: name}
	for _, v := range versions {
		g.Versions = append(g.Versions, metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + v, Version: v})
	}
	g.PreferredVersion = g.Versions[0]
	return g
}

// resourceList is the document at /api/v1 or /apis/GROUP/VERSION; nil where that is not served.
func (s *Server) resourceList(group, version string) *metav1.APIResourceList {
	gv := version
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList"}}
	if group != "" {
		gv = group + "/" + version
		list.APIVersion = "v1" // the core group's list has none
	}
	list.GroupVersion = gv
	for _, d := range s.catalog.Group(group) {
		if v := d.Version(version); v != nil && v.Served {
			list.APIResources = append(list.APIResources, apiResources(d, v)...)
		}
	}
	if len(list.APIResources) == 0 {
		return nil
	}
	return list
}

// apiResources lists one version of d and its subresources, which are by name.
func apiResources(d *resource.Definition, v *resource.Version) []metav1.APIResource {
	keeper := d
	if d.Keeper != nil {
		keeper = d.Keeper
	}
	out := []metav1.APIResource{{
		Name:               d.Names.Plural,
		SingularName:       d.Names.Singular,
		Namespaced:         d.Namespaced,
		Kind:               d.Names.Kind,
		Verbs:              verbsOf(d),
		ShortNames:         d.Names.ShortNames,
		Categories:         d.Names.Categories,
		StorageVersionHash: storageVersionHash(keeper),
	}}
	for _, name := range subresourceNames(v) {
		sub := v.Subresources[name]
		r := metav1.APIResource{
			Name:       d.Names.Plural + "/" + name,
			Namespaced: d.Namespaced,
			Kind:       d.Names.Kind,
			Verbs:      subresourceVerbsOf(sub),
		}
		if sub.Scale != nil {
			r.Group, r.Version, r.Kind = "autoscaling", "v1", "Scale"
		}
		out = append(out, r)
	}
	return out
}

func subresourceVerbsOf(s *resource.Subresource) metav1.Verbs {
	if s.Verbs != nil {
		return s.Verbs
	}
	return subresourceVerbs
}

func subresourceNames(v *resource.Version) []string {
	names := make([]string, 0, len(v.Subresources))
	for name := range v.Subresources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// storageVersionHash is Kubernetes' digest of the version in which a kind is stored: equal hashes, equal encoding.
func storageVersionHash(d *resource.Definition) string {
	sum := sha256.Sum256([]byte(d.Group + "/" + d.Storage + "/" + d.Names.Kind))
	return base64.StdEncoding.EncodeToString(sum[:8])
}
