package jsonscan_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

func ExampleParse() {
	b := []byte(`{"a": [1, "x"], "b": true}`)
	t, ok := jsonscan.Parse(b, nil)
	fmt.Println(ok, string(t.Text(b, t.Member(b, 0, "a"))), string(t.Text(b, t.Member(b, 0, "b"))), t.Member(b, 0, "c"))
	// Output: true [1, "x"] true -1
}

// fromTape rebuilds the value at node i.
func fromTape(t *testing.T, b []byte, tape jsonscan.Tape, i int) any {
	switch b[tape[i].From] {
	case '{':
		m := map[string]any{}
		for k := i + 1; k < int(tape[i].Next); k = int(tape[k+1].Next) {
			m[jsonscan.String(tape.Text(b, k))] = fromTape(t, b, tape, k+1)
		}
		return m
	case '[':
		l := []any{}
		for e := i + 1; e < int(tape[i].Next); e = int(tape[e].Next) {
			l = append(l, fromTape(t, b, tape, e))
		}
		return l
	}
	var v any
	if err := json.Unmarshal(tape.Text(b, i), &v); err != nil {
		t.Fatalf("the tape cut out %q: %v", tape.Text(b, i), err)
	}
	return v
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `null`, ` {"a":[1,{"b":"\\"},"\"]"],"c":{}} `, `[1,]`, `{"a":1,}`, `{"a"}`, `["]`, `{]`, `[1 2]`, `[,1]`, `1 2`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tape, ok := jsonscan.Parse(b, nil)
		if !json.Valid(b) {
			return // what is found then does not matter
		}
		if !ok {
			t.Fatalf("%q is JSON", b)
		}
		var want any
		if err := json.Unmarshal(b, &want); err != nil {
			return // a number too large
		}
		if got := fromTape(t, b, tape, 0); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v", b, got)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{``, ` `, `[1,]`, `{"a":1,}`, `{"a"}`, `["]`, `{]`, `[1 2]`, `[,1]`, `1 2`, `{"a":}`, `[`, `{1:2}`} {
		if tape, ok := jsonscan.Parse([]byte(s), nil); ok {
			t.Errorf("%q: %v", s, tape)
		}
	}
}
