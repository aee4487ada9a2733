package validation

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// failure is one reason to refuse a value.
type failure struct {
	kind  kind
	at    string // dotted path, set by explanation.add
	text  string // with one %s for the path until it is placed
	value any    // that is shown; nil shows ""
	limit int64
	enum  []any
}

// kind decides how a failure becomes a field.Error.
type kind uint8

const (
	invalid kind = iota
	wrongType
	required
	notSupported
	tooLong
	tooMany
	ofWhole // shown without a path: Kubernetes does not know it for these
)

// typeFailure is a value of another type or format; got is what it is, or the string that lacks the format.
func typeFailure(want, got string) *failure {
	return &failure{kind: wrongType, value: got, text: fmt.Sprintf("%%s in body must be of type %s: %s",
		want, escape(fmt.Sprintf("%q", got)))}
}

// logicFailure is shown without a path, which is in the text.
func logicFailure(text string) *failure { return &failure{kind: ofWhole, text: "%q " + text} }

func (f *failure) toFieldError(base *field.Path) *field.Error {
	path := fieldPath(base, f.at)
	value := f.value
	if value == nil {
		value = ""
	}
	switch f.kind {
	case wrongType:
		return field.TypeInvalid(path, value, f.text)
	case required:
		return field.Required(path, "")
	case notSupported:
		return field.NotSupported(path, f.value, enumTexts(f.enum))
	case tooLong:
		return field.TooLong(path, "", int(f.limit))
	case tooMany:
		return field.TooMany(path, int(f.value.(int64)), int(f.limit))
	case ofWhole:
		return field.Invalid(base, "", f.text)
	default:
		return field.Invalid(path, value, f.text)
	}
}

func enumTexts(enum []any) []string {
	texts := make([]string, 0, len(enum))
	for _, e := range enum {
		if s, ok := e.(string); ok {
			texts = append(texts, s)
			continue
		}
		encoded, err := json.Marshal(e)
		if err != nil {
			encoded = []byte(fmt.Sprint(e)) // an enum comes from JSON; this is not reached
		}
		texts = append(texts, string(encoded))
	}
	return texts
}
