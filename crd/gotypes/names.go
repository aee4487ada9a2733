package gotypes

import (
	"go/token"
	"strconv"
	"strings"
	"unicode"
)

// goName makes an exported Go identifier of any text: apiVersion -> APIVersion, pod-ips -> PodIPs. It is "" where
// the text holds no letter and no digit.
func goName(text string) string {
	var out strings.Builder
	for _, word := range words(text) {
		if up := strings.ToUpper(word); isInitialism(up) {
			out.WriteString(up)
		} else if base, plural := strings.CutSuffix(word, "s"); plural && isInitialism(strings.ToUpper(base)) {
			out.WriteString(strings.ToUpper(base) + "s")
		} else {
			r := []rune(word)
			out.WriteString(string(unicode.ToUpper(r[0])) + string(r[1:]))
		}
	}
	name := out.String()
	if name != "" && !unicode.IsUpper([]rune(name)[0]) {
		name = "X" + name // digits, and letters of scripts without capitals
	}
	return name
}

func isInitialism(upper string) bool {
	switch upper {
	case "ACL", "API", "ASCII", "AWS", "CA", "CIDR", "CPU", "CRD", "CSI", "DNS", "EOF", "GCP", "GPU", "GUID", "HTML",
		"HTTP", "HTTPS", "IAM", "ID", "IP", "JSON", "JWKS", "JWT", "KMS", "LHS", "OCI", "OIDC", "PID", "QPS", "RAM",
		"RBAC", "RHS", "RPC", "SLA", "SMTP", "SNI", "SQL", "SSH", "SSL", "TCP", "TLS", "TTL", "UDP", "UI", "UID",
		"URI", "URL", "UTF8", "UUID", "VM", "XML", "YAML":
		return true
	}
	return false
}

// words splits at what is no letter or digit, and where a capital follows a small letter or starts a word.
func words(text string) []string {
	var out []string
	runes := []rune(text)
	start := -1
	flush := func(end int) {
		if start >= 0 && start < end {
			out = append(out, string(runes[start:end]))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush(i)
			start = -1
			continue
		case start < 0:
			start = i
		case unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !pluralEnd(runes, i+1)):
			flush(i)
			start = i
		}
	}
	flush(len(runes))
	return out
}

// pluralEnd says whether the rune at i is the s of a plural, as in IPs: the last one of its word.
func pluralEnd(runes []rune, i int) bool {
	return runes[i] == 's' && (i+1 == len(runes) || !unicode.IsLower(runes[i+1]))
}

// singular names one of a list: Conditions -> Condition, Addresses -> Address, Data -> DataItem.
func singular(name string) string {
	lower := strings.ToLower(name)
	cut := func(suffix, with string) string { return name[:len(name)-len(suffix)] + with }
	switch {
	case len(name) < 3:
	case strings.HasSuffix(lower, "ies") && len(name) > 4:
		return cut("ies", "y")
	case hasAnySuffix(lower, "sses", "xes", "ches", "shes"):
		return cut("es", "")
	case hasAnySuffix(lower, "ss", "us", "is", "data", "kubernetes"):
	case strings.HasSuffix(name, "s"):
		return cut("s", "")
	}
	return name + "Item"
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// symbols name the characters that enums like to be made of.
var symbols = strings.NewReplacer("*", " Star ", "+", " Plus ", "-", " Minus ", "=", " Equal ", "!", " Not ", "<", " Less ",
	">", " Greater ", "~", " Tilde ", "^", " Caret ", "%", " Percent ", "&", " And ", "|", " Or ", "/", " Slash ",
	".", " Dot ", "$", " Dollar ", "#", " Hash ", "@", " At ", ":", " Colon ", ",", " Comma ", "?", " Question ", "_", " Underscore ")

// valueName names a value of an enum.
func valueName(value string) string {
	switch {
	case value == "":
		return "Empty"
	case strings.HasPrefix(value, "-") && len(value) > 1 && unicode.IsDigit(rune(value[1])):
		return "Minus" + strings.TrimPrefix(goName(value[1:]), "X")
	}
	name := goName(value)
	if name == "" {
		name = goName(symbols.Replace(value))
	}
	if name == "" {
		name = "Other"
	}
	if unicode.IsDigit(rune(value[0])) {
		name = strings.TrimPrefix(name, "X") // it follows the type's name
	}
	return name
}

// packageName makes a package's name of a version's: it may start with a digit, hold dashes or be a keyword.
func packageName(version string) string {
	name := strings.ReplaceAll(version, "-", "")
	if token.IsKeyword(name) || name == "internal" || name == "vendor" || name == "main" || name == "" || !unicode.IsLetter(rune(name[0])) {
		name = "v" + name
	}
	return name
}

// namespace hands out identifiers, each once. Who asks first gets the name; the order of asking is fixed.
type namespace map[string]bool

func (n namespace) take(name string) string {
	free := name
	for i := 2; n[free]; i++ {
		free = name + strconv.Itoa(i)
	}
	n[free] = true
	return free
}
