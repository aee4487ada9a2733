package patch

import (
	"fmt"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// parseConfig reads the YAML (or JSON) of an applied configuration.
func (p *Patch) parseConfig(body []byte) error {
	if isPlainJSON(body) {
		strict, err := kjson.UnmarshalStrict(body, &p.Config, kjson.DisallowDuplicateFields)
		if err == nil && len(strict) == 0 && p.Config != nil {
			return nil
		}
		p.Config = nil
	}
	raw, err := yaml.YAMLToJSON(body)
	if err != nil {
		return &patchError{ErrMalformed, fmt.Errorf("error encoding patch: %w", err)}
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &p.Config); err != nil {
		return &patchError{ErrMalformed, fmt.Errorf("error decoding patch: error unmarshaling JSON: while decoding JSON: %w", err)}
	}
	if p.Config == nil {
		p.Config = resource.Object{} // of no kind, which its merge will say
	}
	if err := yaml.UnmarshalStrict(body, &map[string]any{}); err != nil {
		p.Strict = append(p.Strict, err.Error())
	}
	return nil
}

// The longest keys and numbers that YAML certainly reads like JSON.
const (
	plainKey    = 512
	plainDigits = 18
)

// isPlainJSON says that body, if it is JSON at all, is the same when it is read as YAML, which takes ten times as long.
// Nearly all that programs apply is. Not plain is what YAML might see with other eyes: characters beyond ASCII (some end a
// line there), escapes that only JSON has, tabs, keys that are too long or merge, fractions and large numbers.
func isPlainJSON(body []byte) bool {
	if len(body) == 0 || body[0] != '{' {
		return false
	}
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			n := plainString(body[i:])
			if n == 0 {
				return false
			}
			i += n
		case c == '-' || c >= '0' && c <= '9':
			from := i
			for i++; i < len(body) && body[i] >= '0' && body[i] <= '9'; i++ {
			}
			if i-from > plainDigits || i < len(body) && (body[i] == '.' || body[i] == 'e' || body[i] == 'E') {
				return false
			}
		case c == ' ' || c == '\n' || c > ' ' && c < 0x7f:
			i++
		default:
			return false
		}
	}
	return true
}

// plainString returns the length of the string at the beginning of b, quotes included, zero where it is not plain. What is
// longer than a key may be is plain only where no colon comes next.
func plainString(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			long := i > plainKey
			merge := i == len(`"<<`) && b[1] == '<' && b[2] == '<'
			if (long || merge) && isKey(b[i+1:]) {
				return 0
			}
			return i + 1
		case c == '\\':
			i++
			if i == len(b) {
				return 0
			}
			switch b[i] {
			case '"', '\\', 'n', 't', 'r', 'b', 'f':
			default:
				return 0
			}
		case c < ' ' || c >= 0x7f:
			return 0
		}
	}
	return 0
}

// isKey says whether what comes after a string makes it a key.
func isKey(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\n' {
			return c == ':'
		}
	}
	return false
}
