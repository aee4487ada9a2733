package rules

import (
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// requirements are the rules that a stored definition may break, since Kubernetes had it accepted before they came: it
// may go on breaking them.
type requirements struct {
	recognizedReviews bool // a webhook must take a version of ConversionReview that there is
	schema            bool // every version must have one
	knownTypes        bool // the types are those of OpenAPI
	structural        bool
	prunedDefaults    bool // defaults have specified members only
	atomicSets        bool // items of sets are atomic
	mapKeys           bool // keys of map lists are required or have a default; items are not nullable

	invalidCABundle bool            // it may be
	manySelectable  map[string]bool // versions ("" is the top) that may have more selectable fields than allowed
	oldSchemas      []*props        // their CEL expressions may go on using what new ones may not
	unchanged       map[string]bool // versions whose schemas are as before
}

func strict() requirements {
	return requirements{
		recognizedReviews: true, schema: true, knownTypes: true, structural: true,
		prunedDefaults: true, atomicSets: true, mapKeys: true,
	}
}

// toleratingFaultsOf demands what the stored definition keeps to.
func toleratingFaultsOf(old *definition, now, before *judged) requirements {
	each := func(fault func(*props) bool) bool { return !slices.ContainsFunc(before.schemas(), fault) }
	return requirements{
		recognizedReviews: old.Spec.Conversion == nil || recognizesReviews(old.Spec.Conversion.Webhook),
		schema:            allHaveSchemas(before),
		knownTypes:        !before.hasSchemaWith(func(p *props) bool { return p.Type != "" && !slices.Contains(openAPITypes(), p.Type) }),
		structural:        each(isNonStructural),
		prunedDefaults:    each(hasUnprunedDefaults),
		atomicSets:        !before.hasSchemaWith(hasSetOfNonAtomic),
		mapKeys: !before.hasSchemaWith(func(p *props) bool {
			return len(validateMapKeys(p, field.NewPath(""))) > 0
		}),
		invalidCABundle: toleratesCABundle(old),
		manySelectable:  tooManyBefore(now, before),
		oldSchemas:      before.schemas(),
		unchanged:       sameSchemas(now, before),
	}
}

func allHaveSchemas(j *judged) bool {
	return j.top.props() != nil || !slices.ContainsFunc(j.versions, func(v version) bool { return v.props() == nil })
}

func isNonStructural(p *props) bool {
	if _, err := schema.New(p); err != nil {
		return true
	}
	return len(schema.ValidateStructural(nil, p)) > 0
}

func hasUnprunedDefaults(p *props) bool {
	if !anyNode(p, hasDefault) || isNonStructural(p) {
		return false
	}
	s, err := schema.New(p)
	if err != nil {
		return false
	}
	pruned, err := schema.New(p)
	if err != nil {
		return false
	}
	pruned.PruneDefaults()
	return !reflect.DeepEqual(s, pruned)
}

func hasDefault(p *props) bool { return p.Default != nil }

func hasSetOfNonAtomic(p *props) bool {
	if listType(p) != "set" || p.Items == nil || p.Items.Schema == nil {
		return false
	}
	switch is := p.Items.Schema; is.Type {
	case "array":
		return is.XListType != nil && *is.XListType != "atomic" // atomic is what a list is by itself
	case "object":
		return is.XMapType == nil || *is.XMapType != "atomic" // granular is what an object is by itself
	}
	return false
}

func listType(p *props) string {
	if p.XListType == nil {
		return ""
	}
	return *p.XListType
}

func toleratesCABundle(old *definition) bool {
	if !isEstablished(old) {
		return true
	}
	c := old.Spec.Conversion
	return c != nil && c.Webhook != nil && c.Webhook.ClientConfig != nil && CheckCABundle(c.Webhook.ClientConfig.CABundle) != nil
}

// tooManyBefore names the versions that have too many selectable fields, and had the same ones before.
func tooManyBefore(now, before *judged) map[string]bool {
	allowed := map[string]bool{}
	keeps := func(a, b []apiextensionsv1.SelectableField) bool {
		return len(b) > maxSelectable && apiequality.Semantic.DeepEqual(a, b)
	}
	if keeps(now.top.selectable, before.top.selectable) {
		allowed[""] = true
	}
	for i := range now.versions {
		v := &now.versions[i]
		for k := range before.versions {
			if b := &before.versions[k]; b.Name == v.Name && keeps(v.selectable, b.selectable) {
				allowed[v.Name] = true
			}
		}
	}
	return allowed
}

// sameSchemas names the versions whose schemas are as before.
func sameSchemas(now, before *judged) map[string]bool {
	same := map[string]bool{}
	for i := range now.versions {
		name := now.versions[i].Name
		if old, ok := before.schemaOf(name); ok {
			schema, _ := now.schemaOf(name)
			same[name] = apiequality.Semantic.DeepEqual(schema, old)
		}
	}
	return same
}
