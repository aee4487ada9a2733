package simtest

import (
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

// Search is Run that reports what it finds rather than to fail the test.
func Search(t *testing.T, cfg Config) Report {
	t.Helper()
	if cfg.New == nil || cfg.Setup == nil || len(cfg.Steps) == 0 {
		t.Fatal("simtest: Config.New, Setup and Steps are required")
	}
	if cfg.Quiet <= 0 {
		cfg.Quiet = 2 * time.Minute
	}
	if cfg.Budget <= 0 {
		cfg.Budget = time.Minute
	}
	s := &search{t: t, cfg: cfg, began: time.Now()}
	if s.report.Failure = s.all(); s.report.Failure != nil {
		s.report.Failure.test = t.Name()
	}
	s.report.Took = time.Since(s.began)
	return s.report
}

// search looks for the first plan that ends in another state.
type search struct {
	t      *testing.T
	cfg    Config
	began  time.Time
	base   *result
	report Report
}

func (s *search) run(p Plan, log logr.Logger) *result {
	s.report.Runs++
	return run(s.t, &s.cfg, p, log)
}

func (s *search) all() *Failure {
	if failure := s.undisturbed(); failure != nil {
		return failure
	}
	if text := os.Getenv("SIMTEST_PLAN"); text != "" {
		return s.only(text)
	}
	plans := append(slices.Clone(s.cfg.Plans), systematic(s.base)...)
	first := len(plans) // of the random ones
	seed, n := s.random()
	for i := range n {
		plans = append(plans, chosen(s.base, seed+uint64(i))) //nolint:gosec // no number is too large
	}
	s.report.Planned = len(plans)
	at, r := s.firstOf(plans)
	switch {
	case r == nil:
		return nil
	case at < first:
		seed = 0
	default:
		seed += uint64(at - first) //nolint:gosec // at is not below first
	}
	return s.shortest(r, seed)
}

// firstOf runs plans, several at once, until one is a finding or the budget is spent. It returns the first finding, which
// does not depend on how many are run at once.
func (s *search) firstOf(plans []Plan) (at int, found *result) {
	var mu sync.Mutex
	next := 0
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if found != nil || next >= len(plans) || s.spent() {
			return -1
		}
		next++
		return next - 1
	}
	var workers sync.WaitGroup
	for range min(goruntime.GOMAXPROCS(0), len(plans)) {
		workers.Go(func() {
			for i := take(); i >= 0; i = take() {
				r := run(s.t, &s.cfg, plans[i], logr.Discard())
				mu.Lock()
				s.report.Runs++
				if (found == nil || i < at) && r != nil && s.judge(r) != "" {
					at, found = i, r
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if s.t.Failed() {
		s.t.FailNow() // a run could not be made, and said why
	}
	return at, found
}

func (s *search) spent() bool { return time.Since(s.began) > s.cfg.Budget }

// undisturbed makes the run that others are compared with, and makes sure that it always ends alike.
func (s *search) undisturbed() *Failure {
	s.base = s.run(nil, logr.Discard())
	s.report.Writes = len(s.base.writes)
	for _, n := range s.base.events {
		s.report.Events += n
	}
	problem := s.base.problem
	if problem == "" && len(s.base.writes) == 0 {
		problem = "the controllers wrote nothing: there is nothing to disturb"
	}
	if problem == "" {
		if problem = judge(&s.cfg, s.base, s.run(nil, logr.Discard())); problem != "" {
			problem = "two undisturbed runs end differently (Config.Ignore and Normalize take out what may):\n" + problem
		}
	}
	if problem == "" {
		return nil
	}
	return &Failure{Plan: Plan{}, Problem: problem, Trace: s.base.trace}
}

// only runs the plan that somebody wants to see.
func (s *search) only(text string) *Failure {
	p, err := ParsePlan(text)
	if err != nil {
		s.t.Fatal(err)
	}
	s.report.Planned = 1
	log := s.cfg.Options.Logger
	if log.GetSink() == nil {
		log = logr.Discard()
	}
	r := s.run(p, log)
	if problem := s.judge(r); problem != "" {
		return &Failure{Plan: p, Problem: problem, Trace: r.trace}
	}
	s.t.Logf("simtest: %s:\n%s", p, strings.Join(r.trace, "\n"))
	return nil
}

// shortest takes out of the plan of a finding what is not needed.
func (s *search) shortest(r *result, seed uint64) *Failure {
	p, problem := r.did(), s.judge(r)
	for i := 0; i < len(p); i++ {
		for _, fewer := range without(p, i) {
			other := s.run(fewer, logr.Discard())
			if found := s.judge(other); found != "" {
				p, r, problem, i = other.did(), other, found, -1
				break
			}
		}
	}
	return &Failure{Plan: p, Problem: problem, Trace: r.trace, Seed: seed}
}

// without are a plan without one of its faults: as it is, and with writes that follow one number lower, since a write that
// goes well is not tried again.
func without(p Plan, i int) []Plan {
	fewer := slices.Delete(slices.Clone(p), i, i+1)
	if p[i].Kind.scope() != ofWrites {
		return []Plan{fewer}
	}
	lower, moved := slices.Clone(fewer), false
	for j, f := range lower {
		if f.Kind.scope() == ofWrites && f.At > p[i].At {
			lower[j].At, moved = f.At-1, true
		}
	}
	if !moved {
		return []Plan{fewer}
	}
	return []Plan{fewer, lower}
}

// judge compares a run with the undisturbed one. A resource that only the disturbed one touched is looked at in both.
func (s *search) judge(r *result) string {
	var more []string
	for kind := range r.touched {
		if _, ok := s.base.touched[kind]; !ok && !slices.Contains(s.cfg.Resources, kind) {
			more = append(more, kind)
		}
	}
	if len(more) > 0 && r.problem == "" {
		s.cfg.Resources = append(slices.Clone(s.cfg.Resources), more...)
		s.base = s.run(nil, logr.Discard())
	}
	return judge(&s.cfg, s.base, r)
}

// did is that part of the plan which happened.
func (r *result) did() Plan {
	p := Plan{}
	for i, f := range r.plan {
		if r.happened[i] {
			p = append(p, f)
		}
	}
	return p
}

// random says how many random plans there are to be, and the seed of the first.
func (s *search) random() (seed uint64, n int) {
	n = s.cfg.Random
	switch {
	case n < 0 || testing.Short():
		n = 0
	case n == 0:
		n = 20
	}
	seed = 1 // a test that fails from time to time is of no use in CI
	for name, set := range map[string]func(uint64){
		"SIMTEST_SEED": func(v uint64) { seed = v }, "SIMTEST_RUNS": func(v uint64) { n = int(v) }, //nolint:gosec // of runs
	} {
		if text := os.Getenv(name); text != "" {
			v, err := strconv.ParseUint(text, 10, 62)
			if err != nil {
				s.t.Fatalf("simtest: %s: %v", name, err)
			}
			set(v)
		}
	}
	return seed, n
}

// String is for people: the plan, what differs, the trace, and how to see it again.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "simtest: with the plan %s", f.Plan)
	if f.Seed != 0 {
		fmt.Fprintf(&b, " (found by seed %d)", f.Seed)
	}
	fmt.Fprintf(&b, ":\n%s\n\nwhat happened:\n%s\n", f.Problem, strings.Join(f.Trace, "\n"))
	if len(f.Plan) > 0 {
		fmt.Fprintf(&b, "\nagain: SIMTEST_PLAN='%s' go test -run '^%s$'\n", f.Plan, strings.ReplaceAll(f.test, "/", "$/^"))
	}
	return b.String()
}
