package accept_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keelson-project/keelson/internal/accept"
)

func request(target, header string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept", header)
	return r
}

func ExampleClauses() {
	for _, c := range accept.Clauses(request("/", "*/*, application/yaml;q=0.5, application/json;as=Table;v=v1")) {
		fmt.Printf("%s %q\n", c.Media, c.Params["as"])
	}
	// Output:
	// application/json "Table"
	// */* ""
	// application/yaml ""
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		clause, media string
		want          bool
	}{
		{"*/*", "a/b", true}, {"*", "a/b", true}, {"a/*", "a/b", true}, {"a/b", "a/b", true}, {"a/b;q=0.1", "a/b", true},
		{"a/*", "ab/b", false}, {"a/c", "a/b", false}, {"a", "a/b", false},
	} {
		if got := accept.Clauses(request("/", c.clause))[0]; got.Matches(c.media) != c.want {
			t.Errorf("%s matches %s: want %t", c.clause, c.media, c.want)
		}
	}
	if got := accept.Clauses(request("/", "")); len(got) != 0 {
		t.Errorf("nothing is %v", got)
	}
}

func TestRouted(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "*/*": "", "a/b": "", "x/y, a/c;as=Table": "", "x/y,*/*;q=0.1": "",
		"a/*": "406: Not Acceptable\n\nAvailable representations: a/b, a/c", "x/y": "406: Not Acceptable\n\nAvailable representations: a/b, a/c",
	} {
		if err := accept.Routed(request("/", header), "a/b", "a/c"); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: got %v, want %q", header, err, want)
		}
	}
}

func TestPretty(t *testing.T) {
	for _, c := range []struct {
		target, agent string
		want          bool
	}{
		{"/", "", false}, {"/?pretty=true", "", true}, {"/?pretty=1", "", true}, {"/?pretty=false", "curl/8", false}, {"/?pretty=x", "curl/8", false},
		{"/?pretty", "curl/8", true}, {"/", "curl/8", true}, {"/", "Mozilla/5.0 (X)", true}, {"/", "Wget/1", true}, {"/?pretty", "", false},
	} {
		r := request(c.target, "")
		r.Header.Set("User-Agent", c.agent)
		if got := accept.Pretty(r); got != c.want {
			t.Errorf("%s by %q: %t", c.target, c.agent, got)
		}
	}
}
