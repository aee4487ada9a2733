package diff

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// compare compares what holds for all versions, and then each version.
func (c *comparison) compare(o, n *apiextensionsv1.CustomResourceDefinition) {
	c.at("spec.group", func() {
		c.changed(o.Spec.Group, n.Spec.Group, "the server refuses to change it; another group is another kind")
	})
	c.at("spec.scope", func() {
		c.changed(string(o.Spec.Scope), string(n.Spec.Scope), "the server refuses to change it while the kind is served; paths and keys of all objects depend on it")
	})
	c.names(&o.Spec.Names, &n.Spec.Names)
	c.conversion(o, n)
	if o.Spec.PreserveUnknownFields != n.Spec.PreserveUnknownFields {
		c.at("spec.preserveUnknownFields", func() {
			if n.Spec.PreserveUnknownFields {
				c.compatible("unknown fields are preserved now", "")
			} else {
				c.breaking("unknown fields are not preserved any more", "what the schema does not describe is pruned")
			}
		})
	}
	c.versions(o, n)
}

func (c *comparison) changed(before, after, why string) {
	if before != after {
		c.breaking(fmt.Sprintf("changed from %s to %s", quote(before), quote(after)), why)
	}
}

func (c *comparison) names(o, n *apiextensionsv1.CustomResourceDefinitionNames) {
	c.at("spec.names.plural", func() {
		c.changed(o.Plural, n.Plural, "the server refuses to change it; paths and keys of all objects depend on it")
	})
	c.at("spec.names.kind", func() {
		c.changed(o.Kind, n.Kind, "the server refuses to change it while the kind is served; objects say their kind")
	})
	c.at("spec.names.listKind", func() {
		c.changed(orElse(o.ListKind, o.Kind+"List"), orElse(n.ListKind, n.Kind+"List"), "typed clients do not decode lists of another kind")
	})
	c.at("spec.names.singular", func() {
		c.changed(orElse(o.Singular, strings.ToLower(o.Kind)), orElse(n.Singular, strings.ToLower(n.Kind)), "who says the old name to kubectl is not understood")
	})
	for _, list := range []struct {
		path, name    string
		before, after []string
	}{
		{"spec.names.shortNames", "short name", o.ShortNames, n.ShortNames},
		{"spec.names.categories", "category", o.Categories, n.Categories},
	} {
		c.at(list.path, func() {
			gone, added := sets(list.before, list.after)
			for _, s := range gone {
				c.breaking(list.name+" "+s+" removed", "kubectl get "+s+" does not find the kind any more")
			}
			for _, s := range added {
				c.compatible(list.name+" "+s+" added", "")
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (c *comparison) conversion(o, n *apiextensionsv1.CustomResourceDefinition) {
	strategy := func(d *apiextensionsv1.CustomResourceDefinition) apiextensionsv1.ConversionStrategyType {
		if d.Spec.Conversion == nil || d.Spec.Conversion.Strategy == "" {
			return apiextensionsv1.NoneConverter
		}
		return d.Spec.Conversion.Strategy
	}
	c.at("spec.conversion.strategy", func() {
		switch was, is := strategy(o), strategy(n); {
		case was == is:
		case is == apiextensionsv1.NoneConverter && len(n.Spec.Versions) > 1:
			c.breaking(fmt.Sprintf("changed from %s to %s", was, is), "fields that are not the same in all versions are lost between them")
		default:
			c.compatible(fmt.Sprintf("changed from %s to %s", was, is), "")
		}
	})
}

func (c *comparison) versions(o, n *apiextensionsv1.CustomResourceDefinition) {
	find := func(d *apiextensionsv1.CustomResourceDefinition, name string) *apiextensionsv1.CustomResourceDefinitionVersion {
		for i := range d.Spec.Versions {
			if d.Spec.Versions[i].Name == name {
				return &d.Spec.Versions[i]
			}
		}
		return nil
	}
	for i := range o.Spec.Versions {
		was := &o.Spec.Versions[i]
		c.version = was.Name
		if is := find(n, was.Name); is != nil {
			c.compareVersion(was, is)
		} else {
			c.versionRemoved(was, slices.Contains(o.Status.StoredVersions, was.Name))
		}
	}
	for i := range n.Spec.Versions {
		if is := &n.Spec.Versions[i]; find(o, is.Name) == nil {
			c.version = is.Name
			c.compatible("version added", "")
			if is.Storage {
				c.at("storage", c.newStorage)
			}
		}
	}
	c.version = ""
}

func (c *comparison) versionRemoved(v *apiextensionsv1.CustomResourceDefinitionVersion, stored bool) {
	const migrate = "the server refuses that while status.storedVersions lists it: objects are stored in it until each has been written anew"
	switch {
	case v.Served:
		c.breaking("version removed", "clients that speak it get 404 Not Found")
	case v.Storage || stored:
		c.breaking("version removed", migrate)
	default:
		c.compatible("version removed", "it was not served; "+migrate)
	}
}

func (c *comparison) newStorage() {
	c.compatible("this is the storage version now",
		"the one before stays in status.storedVersions, and must stay in spec.versions, until all objects have been written anew")
}

func (c *comparison) compareVersion(o, n *apiextensionsv1.CustomResourceDefinitionVersion) {
	c.at("served", func() {
		switch {
		case o.Served && !n.Served:
			c.breaking("not served any more", "clients that speak it get 404 Not Found")
		case !o.Served && n.Served:
			c.compatible("served now", "")
		}
	})
	if !o.Storage && n.Storage {
		c.at("storage", c.newStorage)
	}
	if !o.Deprecated && n.Deprecated {
		c.at("deprecated", func() { c.compatible("deprecated now", "clients that speak it get a warning") })
	}
	c.at("subresources", func() { c.subresources(o.Subresources, n.Subresources) })
	c.at("selectableFields", func() {
		paths := func(list []apiextensionsv1.SelectableField) (out []string) {
			for _, f := range list {
				out = append(out, f.JSONPath)
			}
			return out
		}
		gone, added := sets(paths(o.SelectableFields), paths(n.SelectableFields))
		for _, path := range gone {
			c.breaking(path+" removed", "requests with a field selector on it are refused")
		}
		for _, path := range added {
			c.compatible(path+" added", "")
		}
	})
	if !reflect.DeepEqual(o.AdditionalPrinterColumns, n.AdditionalPrinterColumns) {
		c.at("additionalPrinterColumns", func() { c.compatible("printer columns changed", "") })
	}
	c.at("", func() { c.node(rootOf(o), rootOf(n)) })
}

func (c *comparison) subresources(o, n *apiextensionsv1.CustomResourceSubresources) {
	none := &apiextensionsv1.CustomResourceSubresources{}
	if o == nil {
		o = none
	}
	if n == nil {
		n = none
	}
	switch {
	case o.Status != nil && n.Status == nil:
		c.breaking("status removed", "writes to it get 404 Not Found, and whoever writes the object writes its status")
	case o.Status == nil && n.Status != nil:
		c.breaking("status added", "the status in writes of the object is ignored from now on; controllers have to write to the subresource")
	}
	switch {
	case o.Scale != nil && n.Scale == nil:
		c.breaking("scale removed", "kubectl scale and autoscalers get 404 Not Found")
	case o.Scale == nil && n.Scale != nil:
		c.compatible("scale added", "")
	case !reflect.DeepEqual(o.Scale, n.Scale):
		c.breaking("paths of scale changed", "autoscalers read and write other fields than before")
	}
}
