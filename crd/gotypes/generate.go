package gotypes

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Options of Generate; the zero value is ready to use.
type Options struct {
	// SingleGroup leaves the group out of the folders: v1 in place of example.com/v1. Kinds of several groups are
	// an error then.
	SingleGroup bool
}

// File is one generated Go file, in gofmt's form.
type File struct {
	Path string // GROUP/VERSION/name.go, with slashes
	Data []byte
}

// Generate returns the packages for the CustomResourceDefinitions, sorted by path. The same input in any order
// gives the same output. A version without a schema gets a type that keeps all fields in Extra. Errors name the
// CustomResourceDefinition that has no valid group, kind or version, or whose kind another one has as well.
func Generate(crds []*apiextensionsv1.CustomResourceDefinition, o Options) ([]File, error) {
	sorted := slices.SortedFunc(slices.Values(crds), func(a, b *apiextensionsv1.CustomResourceDefinition) int {
		return cmp.Or(strings.Compare(a.Spec.Group, b.Spec.Group), strings.Compare(a.Spec.Names.Kind, b.Spec.Names.Kind))
	})
	if err := check(sorted, o); err != nil {
		return nil, err
	}
	var files []File
	for _, group := range chunks(sorted) {
		for _, version := range versionsOf(group) {
			more, err := generatePackage(group, version)
			if err != nil {
				return nil, err
			}
			for _, f := range more {
				f.Path = packageName(version) + "/" + f.Path
				if !o.SingleGroup {
					f.Path = group[0].Spec.Group + "/" + f.Path
				}
				files = append(files, f)
			}
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

func check(crds []*apiextensionsv1.CustomResourceDefinition, o Options) error {
	if len(crds) == 0 {
		return errors.New("no CustomResourceDefinitions were given")
	}
	for i, c := range crds {
		if len(validation.IsDNS1123Subdomain(c.Spec.Group)) > 0 {
			return fmt.Errorf("CustomResourceDefinition %s: %q is no valid group", c.Name, c.Spec.Group)
		}
		if len(validation.IsDNS1035Label(strings.ToLower(c.Spec.Names.Kind))) > 0 {
			return fmt.Errorf("CustomResourceDefinition %s: %q is no valid kind", c.Name, c.Spec.Names.Kind)
		}
		for _, v := range c.Spec.Versions {
			if len(validation.IsDNS1035Label(v.Name)) > 0 {
				return fmt.Errorf("CustomResourceDefinition %s: %q is no valid name of a version", c.Name, v.Name)
			}
		}
		if i == 0 {
			continue
		}
		if before := crds[i-1]; before.Spec.Group != c.Spec.Group {
			if o.SingleGroup {
				return fmt.Errorf("there is more than one group: %s and %s", before.Spec.Group, c.Spec.Group)
			}
		} else if before.Spec.Names.Kind == c.Spec.Names.Kind {
			return fmt.Errorf("CustomResourceDefinitions %s and %s both define %s", before.Name, c.Name, c.Spec.Names.Kind)
		}
	}
	return nil
}

// chunks splits sorted CustomResourceDefinitions by group.
func chunks(sorted []*apiextensionsv1.CustomResourceDefinition) (out [][]*apiextensionsv1.CustomResourceDefinition) {
	for i, c := range sorted {
		if i == 0 || sorted[i-1].Spec.Group != c.Spec.Group {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], c)
	}
	return out
}

func versionsOf(crds []*apiextensionsv1.CustomResourceDefinition) []string {
	var names []string
	for _, c := range crds {
		for _, v := range c.Spec.Versions {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Write writes files below dir. Other files that are there stay.
func Write(dir string, files []File) error {
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
