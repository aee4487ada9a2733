package endpoints

import (
	"net/http"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// warningWriter puts the collected warnings into the header at the moment it is sent.
type warningWriter struct {
	http.ResponseWriter
	warnings *resource.Warnings
	sent     bool
}

func (w *warningWriter) WriteHeader(code int) {
	if !w.sent {
		w.sent = true
		for _, text := range w.warnings.Texts() {
			w.Header().Add("Warning", "299 - "+quoteWarning(text))
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *warningWriter) Write(b []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection's own writer.
func (w *warningWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// quoteWarning writes a quoted-string of RFC 7234 without what a header must not contain.
func quoteWarning(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
