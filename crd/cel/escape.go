package cel

import "strings"

// reserved says whether name is a word that CEL's grammar keeps for itself.
func reserved(name string) bool {
	switch name {
	case "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
		"let", "loop", "package", "namespace", "return", "var", "void", "while":
		return true
	}
	return false
}

// escape returns the identifier by which rules call the property name, as Kubernetes documents it: reserved words
// stand between two underscores on each side, and so do the names of what identifiers cannot have: underscores (two
// in a row), dot, dash and slash. ok is false for names with anything else; rules cannot see those properties.
func escape(name string) (identifier string, ok bool) {
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return "", false
	}
	if reserved(name) {
		return "__" + name + "__", true
	}
	plain := true
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_':
			plain = plain && !strings.HasPrefix(name[i:], "__")
		case c == '.', c == '-', c == '/':
			plain = false
		default:
			return "", false
		}
	}
	if plain {
		return name, true
	}
	name = strings.ReplaceAll(name, "__", "__underscores__") // first: the others bring underscores
	name = strings.ReplaceAll(name, ".", "__dot__")
	name = strings.ReplaceAll(name, "-", "__dash__")
	return strings.ReplaceAll(name, "/", "__slash__"), true
}

// unescape is the reverse of escape. ok is false for what escape never returns.
func unescape(identifier string) (name string, ok bool) {
	if !strings.Contains(identifier, "__") {
		return identifier, true
	}
	var out strings.Builder
	rest := identifier
	for {
		start := strings.Index(rest, "__")
		if start < 0 {
			break
		}
		word, after := rest[start+2:], ""
		end := strings.IndexByte(word, '_')
		if end < 0 {
			break // no closing underscores
		}
		if end == 0 || !strings.HasPrefix(word[end:], "__") { // begin again one character later
			out.WriteString(rest[:start+1])
			rest = rest[start+1:]
			continue
		}
		word, after = word[:end], word[end+2:]
		out.WriteString(rest[:start])
		switch word {
		case "underscores":
			out.WriteString("__")
		case "dot":
			out.WriteByte('.')
		case "dash":
			out.WriteByte('-')
		case "slash":
			out.WriteByte('/')
		default:
			if !reserved(word) || len(word)+4 != len(identifier) {
				return "", false
			}
			out.WriteString(word)
		}
		rest = after
	}
	out.WriteString(rest)
	return out.String(), true
}
