package crd_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/crd/rules"
)

// TestCheck has the stories of creations judged without a server, and expects what kube-apiserver said.
func TestCheck(t *testing.T) {
	answers, reasons := read(t, recorded), read(t, different)
	for _, s := range stories() {
		var want outcome
		if err := json.Unmarshal([]byte(answers[s.text]), &want); err != nil || strings.Contains(s.text, " -> ") ||
			reasons[s.text] != "" || want.Code != 422 && want.Code != 201 || strings.Contains(s.text, "generateName") {
			continue
		}
		obj, err := edited(s.text)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		c := &apiextensionsv1.CustomResourceDefinition{}
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, c); err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		before := c.DeepCopy()
		var got []string
		for _, e := range rules.Check(t.Context(), c) {
			got = append(got, e.Field+"|"+string(e.Type)+"|"+e.ErrorBody())
		}
		slices.Sort(got)
		for i := range got {
			got[i] = short(got[i])
		}
		slices.Sort(got)
		if !slices.Equal(got, want.Causes) {
			t.Errorf("%s\n  we:             %q\n  kube-apiserver: %q", s.text, got, want.Causes)
		}
		if !slices.Equal(marshaled(t, before), marshaled(t, c)) {
			t.Errorf("%s: Check changes what it checks", s.text)
		}
	}
}

func marshaled(t *testing.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestAcceptedIsServed makes definitions of many edits at once: whatever is accepted can be served, and used.
func TestAcceptedIsServed(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same ones every time
	edits := singleEdits()
	accepted := 0
	for range 600 {
		text := ""
		for range 1 + random.IntN(4) {
			if more := text + "; " + edits[random.IntN(len(edits))]; editable(more) {
				text = more
			}
		}
		obj, err := edited(text)
		if err != nil {
			t.Fatal(err)
		}
		raw := marshaled(t, obj)
		if obj, err = resource.Decode(raw); err != nil {
			t.Fatal(err)
		}
		created := throughCreate(t.Context(), obj)
		if created == nil {
			continue
		}
		accepted++
		if raw, err = resource.Encode(created); err != nil {
			t.Fatal(err)
		}
		d, err := crd.ParseDefinition(raw)
		if err != nil {
			t.Fatalf("%s: accepted, and not to be served: %v", text, err)
		}
		useKind(t.Context(), d)
	}
	if accepted < 60 {
		t.Errorf("only %d were accepted", accepted)
	}
}
