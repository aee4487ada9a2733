package gotypes_test

import (
	"bytes"
	"fmt"
	"go/format"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/crd/gotypes"
	"github.com/keelson-project/keelson/crd/source"
)

func parse(t testing.TB, text string) (crds []*apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	docs, err := source.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		c, err := d.CRD()
		if err != nil {
			t.Fatal(err)
		}
		crds = append(crds, c)
	}
	return crds
}

func generate(t testing.TB, crds []*apiextensionsv1.CustomResourceDefinition) map[string]string {
	t.Helper()
	files, err := gotypes.Generate(crds, gotypes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Data)
	}
	return out
}

// TestText looks for what the round trips cannot tell: names, comments, markers.
func TestText(t *testing.T) {
	files := generate(t, parse(t, string(read(t, "testdata/odd.yaml"))))
	flat := strings.Join(strings.Fields(files["odd.example.com/vfunc/oddity_types.go"]), " ")
	for _, want := range []string{
		"package vfunc ",
		"// OddIty is a kind of odd.example.com. // // '+'kubebuilder:hidden is no marker here. // // */ nor is",
		"// +kubebuilder:storageversion // +kubebuilder:deprecatedversion:warning=\"use \\\"another\\\"\\none\"",
		"// +kubebuilder:resource:path=oddities,singular=oddity,shortName=odd;od,categories=all,scope=Cluster // +kubebuilder:selectablefield:JSONPath=`.spec.text`",
		`// +kubebuilder:validation:XValidation:rule="self.metadata.name != \"` + "`" + `\"",message="no ` + "`backquotes`" + `\nplease"`,
		"Status OddItyStatus `json:\"status,omitzero\"`",
		"GetName2 *string `json:\"getName,omitempty\"`",
		"DeepCopy2 *string `json:\"deepCopy,omitempty\"`",
		"Spec *OddItySpec2 `json:\"spec,omitempty\"`", // OddItySpec is a kind
		"At *metav1.Time `json:\"at,omitempty\"`",
		"Nobody NullableTime `json:\"nobody,omitzero\"`",
		"Conditions []metav1.Condition `json:\"conditions,omitzero\"`",
		"At string `json:\"at,omitempty\"`", // "" is no date-time
		"// +required Must string `json:\"must\"`",
		"// +required // +nullable MustNull *int32 `json:\"mustNull\"`",
		"MustMap map[string]int `json:\"mustMap,omitzero\"`",
		"// +required // +kubebuilder:default=true MustDefault *bool `json:\"mustDefault,omitempty\"`",
		`// +kubebuilder:validation:XValidation:rule="self != '\u0027",message="not empty"`,
		"Longer string `json:\"longer,omitempty\"`",
		"Positive int `json:\"positive,omitempty\"`",
		"Bytes []byte `json:\"bytes,omitzero\"`",
		"Mode *OddItySpec2Mode `json:\"mode,omitempty\"`",
		`type OddItySpec2Mode string // The values of OddItySpec2Mode. const ( OddItySpec2ModeOn OddItySpec2Mode = "on"`,
		`OddItySpec2ModeEmpty OddItySpec2Mode = "" OddItySpec2ModeStar OddItySpec2Mode = "*"`,
		`OddItySpec2ModeAB OddItySpec2Mode = "a b" OddItySpec2ModeAB2 OddItySpec2Mode = "a-b"`,
		`OddItySpec2LevelMinus1 OddItySpec2Level = -1`,
		"Maybe NullableOddItySpec2Maybe `json:\"maybe,omitzero\"`",
		"MaybeList NullableOptionalStringList `json:\"maybeList,omitzero\"`",
		"Raw kruntime.RawExtension `json:\"raw,omitzero\"`",
		"MaybeAny json.RawMessage `json:\"maybeAny,omitzero\"`",
		"Port *intstr.IntOrString `json:\"port,omitempty\"`",
		"Memory *Quantity `json:\"memory,omitempty\"`",
		"Condition *OddItySpec2Condition `json:\"condition,omitempty\"`",
		"Conditions []OddItySpec2Condition2 `json:\"conditions,omitzero\"`",
		"Minus *string `json:\"-,omitempty\"`",
		"X9lives *string `json:\"9lives,omitempty\"`",
		"SnakeCase *string `json:\"SnakeCase,omitempty\"`",
		"PodIPs []string `json:\"podIPs,omitzero\"`",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("there is no\n  %s", want)
		}
	}
	if t.Failed() {
		t.Log(files["odd.example.com/vfunc/oddity_types.go"])
	}
}

// TestSame: the same CRDs in any order give the same files, in gofmt's form.
func TestSame(t *testing.T) {
	crds := parse(t, string(read(t, "testdata/odd.yaml")))
	first := generate(t, crds)
	slices.Reverse(crds)
	for path, text := range generate(t, crds) {
		if first[path] != text {
			t.Errorf("%s depends on the order", path)
		}
		if again, err := format.Source([]byte(text)); err != nil || !bytes.Equal(again, []byte(text)) {
			t.Errorf("%s is not gofmt's form (%v)", path, err)
		}
	}
}

func TestRefused(t *testing.T) {
	const crd = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %s}, spec: {group: %s, names: {kind: %s}, versions: [{name: %s}]}}`
	one := fmt.Sprintf(crd, "as.b.c", "b.c", "A", "v1")
	for _, tc := range []struct {
		text, want string
		o          gotypes.Options
	}{
		{"", "no CustomResourceDefinitions were given", gotypes.Options{}},
		{fmt.Sprintf(crd, "x", "../..", "A", "v1"), `CustomResourceDefinition x: "../.." is no valid group`, gotypes.Options{}},
		{fmt.Sprintf(crd, "x", "b.c", "A B", "v1"), `CustomResourceDefinition x: "A B" is no valid kind`, gotypes.Options{}},
		{fmt.Sprintf(crd, "x", "b.c", "A", "../v1"), `CustomResourceDefinition x: "../v1" is no valid name of a version`, gotypes.Options{}},
		{one + "\n---\n" + one, "CustomResourceDefinitions as.b.c and as.b.c both define A", gotypes.Options{}},
		{one + "\n---\n" + fmt.Sprintf(crd, "y", "d.e", "A", "v1"), "there is more than one group: b.c and d.e", gotypes.Options{SingleGroup: true}},
	} {
		if _, err := gotypes.Generate(parse(t, tc.text), tc.o); err == nil || err.Error() != tc.want {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
}
