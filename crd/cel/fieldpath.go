package cel

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// resolveFieldPath reads the fieldPath of a rule, as in .spec['a.b'].c, which must lead from s to a property or the
// value of a map.
func resolveFieldPath(text string, s *schema.Schema) (*field.Path, error) {
	var path *field.Path
	step := func(name string) error {
		switch {
		case s.Properties != nil:
			path = path.Child(name)
			if s = s.Properties[name]; s == nil {
				return errors.New("does not refer to a valid field")
			}
		case s.Additional != nil:
			path = path.Key(name)
			s = s.Additional
		default:
			return errors.New("does not refer to a valid field")
		}
		return nil
	}
	for rest := text; rest != ""; {
		token, after := nextToken(rest)
		var name string
		var err error
		switch token {
		case ".":
			if after == "" {
				return nil, errEndOfPath
			}
			name, rest = nextToken(after)
		case "[":
			if name, rest, err = quotedName(after); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("expected [ or . but got: %s", token)
		}
		if err := step(name); err != nil {
			return nil, err
		}
	}
	return path, nil
}

var errEndOfPath = errors.New("unexpected end of JSON path")

// quotedName reads 'name'].
func quotedName(text string) (name, rest string, err error) {
	if text == "" {
		return "", "", errEndOfPath
	}
	token, rest := nextToken(text)
	if len(token) < 2 || token[0] != '\'' || token[len(token)-1] != '\'' {
		return "", "", fmt.Errorf("expected single quoted string but got %s", token)
	}
	if name, err = unquote(token[1 : len(token)-1]); err != nil {
		return "", "", fmt.Errorf("invalid string literal: %w", err)
	}
	if rest == "" {
		return "", "", errEndOfPath
	}
	if token, rest = nextToken(rest); token != "]" {
		return "", "", fmt.Errorf("expected ] but got %s", token)
	}
	return name, rest, nil
}

// nextToken splits off one of . [ ], a quoted string, or all up to the next delimiter.
func nextToken(text string) (token, rest string) {
	if text[0] == '\'' {
		for i := 1; i < len(text); i++ {
			if text[i] == '\'' && text[i-1] != '\\' {
				return text[:i+1], text[i+1:]
			}
		}
		return text, ""
	}
	switch i := strings.IndexAny(text, ".[]"); i {
	case -1:
		return text, ""
	case 0:
		return text[:1], text[1:]
	default:
		return text[:i], text[i:]
	}
}

func unquote(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		at := strings.IndexByte(`abfnrtv'\`, text[i])
		if at < 0 {
			return "", fmt.Errorf("invalid escape char %s", text[i-1:i+1])
		}
		out.WriteByte("\a\b\f\n\r\t\v'\\"[at])
	}
	return out.String(), nil
}
