// Package gotypes writes Go types for the kinds that CustomResourceDefinitions define: one package for each group
// and version, with the types, their doc comments and kubebuilder markers, typed constants for enums, deep copies,
// and AddToScheme. The packages need k8s.io/apimachinery and nothing else.
//
//	files, err := gotypes.Generate(crds, gotypes.Options{})
//	err = gotypes.Write("api", files)
//
// Every object that the schema accepts survives being read into the types and written again, with nothing added
// and nothing lost. That decides how fields look:
//
//   - An optional field is a pointer where its zero value is an accepted value as well (so that "replicas: 0" and
//     no replicas stay two things), and a plain value where it is not (a string of at least one character).
//     Slices and maps tell absent and empty apart by themselves, with omitzero, and are no pointers.
//   - An optional field that may be null is a struct of Value and Null, since it has three states.
//   - An integer without a format is an int, of which controller-gen makes an integer without a format.
//   - int-or-string is intstr.IntOrString, but quantities are a Quantity, which holds 64 bits.
//   - What the schema says nothing of is kept as JSON: kruntime.RawExtension where it is an object, json.RawMessage
//     where it may be anything. A type with fields and x-kubernetes-preserve-unknown-fields keeps the others in Extra.
//   - date-time is a string: metav1.Time would lose fractions of a second and the time zone.
//
// controller-gen makes the same schema of the types again, as far as its markers reach: constraints of items and map
// values that they cannot express on a field are on named types.
//
// In the status of kinds with a status subresource, which only the reconciler that uses these types writes, comfort
// comes first: Status is no pointer (an empty one is not written), date-time is metav1.Time, and conditions of the
// standard shape are metav1.Condition.
package gotypes
