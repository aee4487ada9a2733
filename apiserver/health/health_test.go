package health_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/apiserver/health"
)

func answer(c *health.Checks, path string) (served bool, code int, body string) {
	w := httptest.NewRecorder()
	served = c.Serve(w, httptest.NewRequest("GET", path, nil))
	return served, w.Code, w.Body.String()
}

func TestServe(t *testing.T) {
	var etcd error
	c := health.New(logr.Discard(),
		health.Ping(),
		health.Check{Name: "etcd", In: health.Healthz | health.Readyz, Test: func(context.Context) error { return etcd }},
	)
	away := errors.New("the store is away")
	for _, tc := range []struct {
		path  string
		etcd  error
		code  int // zero: not served
		want  string
		about string
	}{
		{"/healthz", nil, 200, "ok", "short"},
		{"/readyz?verbose", nil, 200, "[+]ping ok\n[+]etcd ok\nreadyz check passed\n", "verbose"},
		{"/livez?verbose=1", away, 200, "[+]ping ok\nlivez check passed\n", "a check belongs to some paths only"},
		{"/readyz", away, 500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n", "verbose on failure"},
		{"/readyz?exclude=etcd&verbose", away, 200, "[+]ping ok\n[+]etcd excluded: ok\nreadyz check passed\n", "exclude"},
		{"/readyz?exclude=b&exclude=a&verbose", nil, 200, "[+]ping ok\n[+]etcd ok\nwarn: some health checks cannot be excluded: no matches for \"a\",\"b\"\nreadyz check passed\n", "unknown exclude"},
		{"/readyz/etcd", nil, 200, "ok", "a check by itself"},
		{"/readyz/etcd", away, 500, "internal server error: the store is away\n", "a failing check by itself"},
		{"/livez/etcd", nil, 0, "", "not a check of livez"},
		{"/readyz/", nil, 0, "", "no name"},
		{"/healthzz", nil, 0, "", "another path"},
		{"/api/v1/healthz", nil, 0, "", "another path"},
	} {
		etcd = tc.etcd
		served, code, body := answer(c, tc.path)
		if served != (tc.code != 0) || served && (code != tc.code || body != tc.want) {
			t.Errorf("%s: %s answers %v %d %q, want %d %q", tc.about, tc.path, served, code, body, tc.code, tc.want)
		}
	}
}

func ExampleChecks_Serve() {
	checks := health.New(logr.Discard(), health.Ping())
	w := httptest.NewRecorder()
	checks.Serve(w, httptest.NewRequest("GET", "/livez?verbose", nil))
	fmt.Print(w.Body)
	// Output:
	// [+]ping ok
	// livez check passed
}
