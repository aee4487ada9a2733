package gzipped_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/keelson-project/keelson/internal/gzipped"
)

func ExampleNewWriter() {
	var b bytes.Buffer
	w := gzipped.NewWriter(&b)
	fmt.Fprint(w, "a long answer")
	_ = w.Close()

	z, _ := gzip.NewReader(&b)
	text, _ := io.ReadAll(z)
	fmt.Println(string(text))
	// Output: a long answer
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "identity": false, "*": false, "deflate, gzip;q=1.0": true, "gzip": true, "GZIP": true, "gzip;q=0.5, deflate": true,
		"gzip;q=0": false, "gzip; q=0.00": false, "deflate,gzip;q=0": false, "x-gzip": false,
	} {
		r := &http.Request{Header: http.Header{"Accept-Encoding": {header}}}
		if got := gzipped.Accepted(r); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
	if gzipped.Accepted(&http.Request{}) {
		t.Error("no header was taken for a wish")
	}
}
