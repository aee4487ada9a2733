package conversion

import (
	"context"
	"errors"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// maxCheck bounds how long rules are tried on samples.
const maxCheck = 5 * time.Second

// Validate checks the conversion rules in the annotation of a CustomResourceDefinition whose spec is valid: that they
// can be read, and that what they convert comes back as it was. Without the annotation there is nothing to check.
func Validate(ctx context.Context, c *apiextensionsv1.CustomResourceDefinition, compile Compile) field.ErrorList {
	text, ok := c.Annotations[RulesAnnotation]
	if !ok {
		return nil
	}
	at := field.NewPath("metadata", "annotations").Key(RulesAnnotation)
	rules, err := ParseRules(text, compile)
	if err != nil {
		return field.ErrorList{invalidRule(at, err)}
	}
	schemas := map[string]*schema.Schema{}
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			return nil // it is refused for that
		}
		if schemas[v.Name], err = schema.New(v.Schema.OpenAPIV3Schema); err != nil {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxCheck)
	defer cancel()
	var errs field.ErrorList
	for _, problem := range rules.Check(ctx, schemas) {
		errs = append(errs, invalidRule(at, problem))
	}
	return errs
}

func invalidRule(at *field.Path, err error) *field.Error {
	place := ""
	var rule *RuleError
	if errors.As(err, &rule) {
		place, err = rule.At, rule.Err
	}
	return field.Invalid(at, place, err.Error())
}
