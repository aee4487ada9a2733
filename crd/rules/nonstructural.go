package rules

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// NonStructural returns the condition of a definition that was stored before schemas had to be structural (or by hand),
// without times; nil if all is well with it.
func NonStructural(c *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinitionCondition {
	out := &apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.NonStructuralSchema, Status: apiextensionsv1.ConditionTrue, Reason: "Violations",
	}
	var errs field.ErrorList
	path := field.NewPath("spec")
	if c.Spec.PreserveUnknownFields {
		errs = append(errs, field.Invalid(path.Child("preserveUnknownFields"), true, "must be false"))
	}
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			continue
		}
		if _, err := schema.New(v.Schema.OpenAPIV3Schema); err != nil {
			out.Status, out.Reason = apiextensionsv1.ConditionUnknown, "StructuralError"
			out.Message = fmt.Sprintf("failed to check validation schema for version %s: %v", v.Name, err)
			return out
		}
		errs = append(errs, schema.ValidateStructural(path.Child("versions").Index(i).Child("schema", "openAPIV3Schema"), v.Schema.OpenAPIV3Schema)...)
	}
	if len(errs) == 0 {
		return nil
	}
	out.Message = errs.ToAggregate().Error()
	return out
}
