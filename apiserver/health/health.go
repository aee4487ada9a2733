// Package health answers /healthz, /livez and /readyz in kube-apiserver's words, out of named checks. Each path
// understands ?verbose and ?exclude=NAME, and has a path of its own for each of its checks (/readyz/etcd).
//
// The paths are open to everybody, so the summary withholds why a check failed; the log has it.
package health

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-logr/logr"
)

// Endpoints is a set of the paths that a check belongs to.
type Endpoints uint8

// The endpoints. Healthz is the old one that knows everything; a failing Livez check means that a restart would
// help, a failing Readyz check that clients should go elsewhere for now.
const (
	Healthz Endpoints = 1 << iota
	Livez
	Readyz

	All = Healthz | Livez | Readyz
)

// Check is one named question. Test returns nil where all is well, and gives up when ctx ends.
type Check struct {
	Name string
	In   Endpoints
	Test func(ctx context.Context) error
}

// Ping is the check that is well as long as anything is answered.
func Ping() Check {
	return Check{Name: "ping", In: All, Test: func(context.Context) error { return nil }}
}

// Checks answers the paths. Its checks run when somebody asks, one after the other.
type Checks struct {
	log    logr.Logger
	checks []Check
}

// New returns the answers of checks, in their order. Failures are written to log.
func New(log logr.Logger, checks ...Check) *Checks {
	return &Checks{log: log, checks: slices.Clone(checks)}
}

// Serve answers r if it is about health, and otherwise returns false and has done nothing.
func (c *Checks) Serve(w http.ResponseWriter, r *http.Request) bool {
	endpoint, name, single := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var in Endpoints
	switch endpoint {
	case "healthz":
		in = Healthz
	case "livez":
		in = Livez
	case "readyz":
		in = Readyz
	default:
		return false
	}
	if !single {
		c.serveAll(w, r, endpoint, in)
		return true
	}
	for i := range c.checks {
		if check := &c.checks[i]; check.Name == name && check.In&in != 0 {
			serveOne(w, r, check)
			return true
		}
	}
	return false
}

func serveOne(w http.ResponseWriter, r *http.Request, check *Check) {
	if err := check.Test(r.Context()); err != nil {
		http.Error(w, fmt.Sprintf("internal server error: %v", err), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("ok"))
}

func (c *Checks) serveAll(w http.ResponseWriter, r *http.Request, endpoint string, in Endpoints) {
	query := r.URL.Query()
	report, failed := c.run(r.Context(), in, query["exclude"])
	if len(failed) > 0 {
		c.log.V(1).Info("a health check failed", "endpoint", endpoint, "failures", failed)
		http.Error(w, report+endpoint+" check failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !query.Has("verbose") {
		report = "ok"
	} else {
		report += endpoint + " check passed\n"
	}
	_, _ = w.Write([]byte(report))
}

// run returns a line for each check, and the failures as "name: error".
func (c *Checks) run(ctx context.Context, in Endpoints, exclude []string) (report string, failed []string) {
	var b strings.Builder
	unknown := slices.Clone(exclude)
	for i := range c.checks {
		check := &c.checks[i]
		if check.In&in == 0 {
			continue
		}
		if slices.Contains(exclude, check.Name) {
			unknown = slices.DeleteFunc(unknown, func(s string) bool { return s == check.Name })
			fmt.Fprintf(&b, "[+]%s excluded: ok\n", check.Name)
			continue
		}
		if err := check.Test(ctx); err != nil {
			failed = append(failed, check.Name+": "+err.Error())
			fmt.Fprintf(&b, "[-]%s failed: reason withheld\n", check.Name)
			continue
		}
		fmt.Fprintf(&b, "[+]%s ok\n", check.Name)
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		unknown = slices.Compact(unknown)
		for i, s := range unknown {
			unknown[i] = fmt.Sprintf("%q", s)
		}
		fmt.Fprintf(&b, "warn: some health checks cannot be excluded: no matches for %s\n", strings.Join(unknown, ","))
	}
	return b.String(), failed
}
