package endpoints

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/internal/gzipped"
)

// writeObject answers with one encoded object, in the encoding that out asks for.
func writeObject(w http.ResponseWriter, r *http.Request, out output, code int, data []byte) {
	switch {
	case out.encoding == encodeYAML:
		if y, err := yaml.JSONToYAML(data); err == nil {
			data = y
		}
	case out.pretty:
		var b bytes.Buffer
		if json.Indent(&b, bytes.TrimSpace(data), "", "  ") == nil {
			data = b.Bytes()
		}
	case !bytes.HasSuffix(data, []byte{'\n'}):
		writeBytes(w, r, mediaJSON, code, data, "\n")
		return
	}
	writeBytes(w, r, out.contentType(), code, data, "")
}

// writeBytes answers with data, which it leaves as they are, and what comes after them.
func writeBytes(w http.ResponseWriter, r *http.Request, media string, code int, data []byte, after string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-cache, private")
	if len(data) >= gzipThreshold && wantsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		w.WriteHeader(code)
		z := gzipped.NewWriter(w)
		_, _ = z.Write(data)
		_, _ = io.WriteString(z, after)
		_ = z.Close()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(data)+len(after)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
		_, _ = io.WriteString(w, after)
	}
}

// gzipThreshold is Kubernetes': smaller answers are sent as they are.
const gzipThreshold = 128 << 10

// wantsGzip says whether a long answer should be compressed: where the client takes it and is not on this very
// machine, where a copy costs a hundredth of compressing and decompressing.
func wantsGzip(r *http.Request) bool {
	if !gzipped.Accepted(r) {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return true
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// flusher returns what sends the bytes written so far, or a function that does nothing.
func flusher(w http.ResponseWriter) func() {
	rc := http.NewResponseController(w)
	return func() { _ = rc.Flush() }
}
