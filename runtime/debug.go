package runtime

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Handler serves /healthz, /readyz (200 once all controllers may work, and all checks are well), /metrics, and pages for
// people and tools, as JSON:
//
//	/debug/controllers         the controllers, with their queues
//	/debug/controllers/NAME    the latest reconciliations of one and why they ran, newest first; with
//	                           ?object=NAMESPACE/NAME&cluster=NAME those of one request ("keelson why" shows them)
//	/debug/caches              what is cached, and how much memory that takes
//	/debug/pprof/              profiles, where Options.Pprof is set
//
// They tell names and errors, and so are not for everyone.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { m.serveChecks(w, r, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { m.serveChecks(w, r, m.ready.Load()) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { m.serveMetrics(w) })
	mux.HandleFunc("GET /debug/controllers", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, m.overview()) })
	mux.HandleFunc("GET /debug/controllers/{name}", m.serveHistory)
	mux.HandleFunc("GET /debug/caches", func(w http.ResponseWriter, _ *http.Request) {
		reports := map[string]any{}
		for _, c := range m.allClusters() {
			reports[c.name] = c.CacheReport()
		}
		writeJSON(w, reports)
	})
	if m.opts.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return mux
}

func (m *Manager) serveChecks(w http.ResponseWriter, r *http.Request, ok bool) {
	m.mu.Lock()
	checks := maps.Clone(m.checks[r.URL.Path])
	m.mu.Unlock()
	var failed []string
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if err := checks[name](r); err != nil {
			failed = append(failed, name+": "+err.Error())
		}
	}
	if !ok {
		failed = append(failed, "starting")
	}
	if len(failed) > 0 {
		http.Error(w, strings.Join(failed, "\n"), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (m *Manager) allClusters() []*Cluster {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Cluster
	for _, name := range slices.Sorted(maps.Keys(m.clusters)) {
		all = append(all, m.clusters[name])
	}
	return all
}

// ControllerState is a controller as /debug/controllers shows it.
type ControllerState struct {
	Name                    string
	Ready, Delayed, Working int               // requests in its queue
	LongestRunning          time.Duration     // of those that are worked on
	Results                 map[string]uint64 // reconciliations by outcome
	Panics                  uint64
}

func (m *Manager) overview() []ControllerState {
	var out []ControllerState
	for _, c := range m.list() {
		s := c.queue.Load().Stats()
		state := ControllerState{
			Name: c.name, Ready: s.Ready, Delayed: s.Delayed, Working: s.Working, LongestRunning: s.LongestRunning,
			Results: map[string]uint64{}, Panics: c.stats.panics.Load(),
		}
		for o := range outcomes {
			state.Results[o.String()] = c.stats.results[o].Load()
		}
		out = append(out, state)
	}
	return out
}

// RunReport is a Run as /debug/controllers/NAME shows it.
type RunReport struct {
	Request      string
	Started      time.Time
	Took         time.Duration
	Outcome      string
	Error        string        `json:",omitempty"`
	RequeueAfter time.Duration `json:",omitempty"`
	Causes       []CauseReport
	Omitted      int `json:",omitempty"` // further causes
	Queued       time.Duration
	Waited       time.Duration
	Priority     int     `json:",omitempty"`
	Failures     int     `json:",omitempty"`
	Writes       []Write `json:",omitempty"`
	Unlisted     int     `json:",omitempty"` // further writes
}

// CauseReport is a Cause as /debug/controllers/NAME shows it.
type CauseReport struct {
	At      time.Time
	Text    string
	Changed []string `json:",omitempty"` // see Cause.Changed
}

func (m *Manager) serveHistory(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	controllers := m.list()
	at := slices.IndexFunc(controllers, func(c *Controller) bool { return c.name == name })
	if at < 0 {
		var names []string
		for _, c := range controllers {
			names = append(names, c.name)
		}
		http.Error(w, fmt.Sprintf("there is no controller %q here; there are: %s", name, strings.Join(names, ", ")), http.StatusNotFound)
		return
	}
	var of []Request
	if object := r.URL.Query().Get("object"); object != "" {
		req := Request{NamespacedName: types.NamespacedName{Name: object}, Cluster: r.URL.Query().Get("cluster")}
		if ns, name, ok := strings.Cut(object, "/"); ok {
			req.NamespacedName = types.NamespacedName{Namespace: ns, Name: name}
		}
		of = append(of, req)
	}
	reports := []RunReport{}
	for _, run := range controllers[at].History(of...) {
		reports = append(reports, reportOf(run))
	}
	writeJSON(w, reports)
}

func reportOf(run *Run) RunReport {
	out := RunReport{
		Request: run.Request.String(), Started: run.Started, Took: run.Took, Outcome: run.Outcome, Error: run.Error,
		RequeueAfter: run.RequeueAfter, Omitted: run.Omitted, Queued: run.Queued, Waited: run.Waited,
		Priority: run.Priority, Failures: run.Failures, Writes: run.Writes, Unlisted: run.Unlisted,
	}
	for _, c := range run.List {
		out.Causes = append(out.Causes, CauseReport{At: c.At, Text: c.String(), Changed: c.Changed()})
	}
	return out
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // whoever asked has gone
}
