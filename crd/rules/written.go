package rules

import (
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Where a message of kube-apiserver shows a whole schema or version, it shows its internal form of it: the fields of
// a Go struct. The functions here make that form; they run only for a definition that is refused. (The package of the
// internal types has nothing but these types, and is part of the API types that v1 is converted from and to.)

// internalVersions is how the versions of a spec are shown.
func internalVersions(spec *apiextensionsv1.CustomResourceDefinitionSpec) any {
	var out apiextensions.CustomResourceDefinitionSpec
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinitionSpec_To_apiextensions_CustomResourceDefinitionSpec(spec.DeepCopy(), &out, nil); err != nil {
		return err.Error()
	}
	return out.Versions
}

// internalSchema is how a schema is shown.
func internalSchema(p *props) any {
	var out apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(p.DeepCopy(), &out, nil); err != nil {
		return err.Error()
	}
	return out
}

// internalItems is how the items of a list are shown.
func internalItems(p *apiextensionsv1.JSONSchemaPropsOrArray) any {
	var out apiextensions.JSONSchemaPropsOrArray
	if err := apiextensionsv1.Convert_v1_JSONSchemaPropsOrArray_To_apiextensions_JSONSchemaPropsOrArray(p.DeepCopy(), &out, nil); err != nil {
		return err.Error()
	}
	return out
}
