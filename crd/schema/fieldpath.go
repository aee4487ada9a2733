package schema

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// FieldPath follows a JSON path of names (".spec.host", with brackets also ".labels['a.b']") through s, and returns it
// as a path of messages, with the schema where it ends. A step that no schema specifies is an error, in
// kube-apiserver's words; an empty path ends at s itself, with a nil path.
func FieldPath(jsonPath string, s *Schema, brackets bool) (path *field.Path, target *Schema, err error) {
	f := fieldPath{rest: jsonPath, at: s}
	for {
		token, ok := f.next()
		if !ok {
			return f.path, f.at, nil
		}
		switch token {
		case "[":
			if !brackets {
				return nil, nil, errors.New("array notation is not allowed")
			}
			err = f.bracket()
		case ".":
			if token, ok = f.next(); !ok {
				return nil, nil, errPathEnds
			}
			err = f.step(token)
		default:
			err = fmt.Errorf("expected [ or . but got: %s", token)
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

var (
	errPathEnds    = errors.New("unexpected end of JSON path")
	errPathNowhere = errors.New("does not refer to a valid field")
)

// fieldPath is the state of one FieldPath.
type fieldPath struct {
	rest string
	path *field.Path
	at   *Schema
}

// next cuts a token off: a delimiter, or all up to the next one. Within single quotes nothing is a delimiter.
func (f *fieldPath) next() (token string, ok bool) {
	if f.rest == "" {
		return "", false
	}
	end := strings.IndexAny(f.rest, ".[]")
	switch {
	case f.rest[0] == '\'':
		end = len(f.rest)
		for i := 1; i < len(f.rest); i++ {
			if f.rest[i] == '\'' && f.rest[i-1] != '\\' {
				end = i + 1
				break
			}
		}
	case end == 0:
		end = 1
	case end < 0:
		end = len(f.rest)
	}
	token, f.rest = f.rest[:end], f.rest[end:]
	return token, true
}

// step goes to a member: a property's where there are any, else any.
func (f *fieldPath) step(name string) error {
	switch {
	case f.at != nil && f.at.Properties != nil:
		p, ok := f.at.Properties[name]
		if !ok {
			return errPathNowhere
		}
		f.path, f.at = f.path.Child(name), p
	case f.at != nil && (f.at.Additional != nil || f.at.AnyAdditional):
		f.path, f.at = f.path.Key(name), f.at.Additional
	default:
		return errPathNowhere
	}
	return nil
}

// bracket reads on after "[".
func (f *fieldPath) bracket() error {
	token, ok := f.next()
	if !ok {
		return errPathEnds
	}
	if len(token) < 2 || token[0] != '\'' || token[len(token)-1] != '\'' {
		return fmt.Errorf("expected single quoted string but got %s", token)
	}
	name, err := unescape(token[1 : len(token)-1])
	if err != nil {
		return fmt.Errorf("invalid string literal: %w", err)
	}
	if err := f.step(name); err != nil {
		return err
	}
	if token, ok = f.next(); !ok {
		return errPathEnds
	}
	if token != "]" {
		return fmt.Errorf("expected ] but got %s", token)
	}
	return nil
}

var escapes = regexp.MustCompile(`\\.`)

func unescape(s string) (string, error) {
	const letters, meanings = `abfnrtv'\`, "\a\b\f\n\r\t\v'\\"
	var bad string
	out := escapes.ReplaceAllStringFunc(s, func(e string) string {
		i := strings.IndexByte(letters, e[1])
		if i < 0 {
			bad = e
			return ""
		}
		return meanings[i : i+1]
	})
	if bad != "" {
		return "", fmt.Errorf("invalid escape char %s", bad)
	}
	return out, nil
}
