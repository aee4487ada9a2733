// Package gzipped compresses answers: who takes that, and with writers that are used again.
package gzipped

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Accepted says whether the client of r takes gzip: its Accept-Encoding names it, and not with q=0.
func Accepted(r *http.Request) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for clause := range strings.SplitSeq(header, ",") {
			coding, params, _ := strings.Cut(clause, ";")
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				return !refused(params)
			}
		}
	}
	return false
}

// refused says whether params are a quality of zero: q=0, q=0.0 and so on.
func refused(params string) bool {
	q, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	return ok && strings.Trim(q, "0.") == ""
}

// writers are as fast as they can be: the network that is worth compressing for is not slower than that.
var writers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

// NewWriter returns a writer of what is compressed to w. It writes nothing before it is written to, or closed; one that
// is never closed is garbage like anything else.
func NewWriter(w io.Writer) io.WriteCloser {
	z := writers.Get().(*gzip.Writer)
	z.Reset(w)
	return writer{z}
}

type writer struct{ *gzip.Writer }

// Close ends the compressed stream.
func (w writer) Close() error {
	defer writers.Put(w.Writer)
	return w.Writer.Close()
}
