package simtest

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// Config says what is tested, and how.
type Config struct {
	// New starts a cluster for one run, in this process, and has it end with t: apiservertest.Start with NoListener.
	// It runs within a testing/synctest bubble: the configuration has to have a Transport, and no goroutine of the
	// cluster may wait for a socket.
	New func(t testing.TB) client.Config
	// Options of the managers. Their Logger is used where a single plan is run (SIMTEST_PLAN), their Address and
	// GracefulShutdownTimeout never.
	Options runtime.Options
	// Process completes the Options for one process, where they hold more than data: leader election, shards. cfg is how
	// the process reaches the server. Default: nothing is to be completed.
	Process func(cfg client.Config, o *runtime.Options) error
	// Setup gives a new manager its controllers: what a process does when it starts, without requests to the server.
	// It is called for each of the processes that follow each other in a run, and should share nothing between them.
	Setup func(*runtime.Manager) error
	// Steps are what the user does.
	Steps []Step

	// Plans to try before all others: those that have found something once.
	Plans []Plan

	// Resources whose objects make the end state besides those that the controllers read, watch and write, such as
	// "secrets" or "deployments.apps".
	Resources []string
	// Ignore are fields that may differ between runs, as dotted paths: "status.endpoint", or "data" for all of it.
	// Those that always do are ignored anyway: see the package comment.
	Ignore []string
	// Normalize takes out of an object what may differ in other ways. It may change the object; false leaves the
	// whole object out.
	Normalize func(*unstructured.Unstructured) bool
	// Check is what must hold in the end of each run, undisturbed or not, beyond that it ends alike.
	Check func(ctx context.Context, c client.Client) error
	// MayRecreate lets a run create an object of the same name more often than the undisturbed one does. Default: that
	// is a finding, since whoever deletes something by mistake and makes it again has lost what was in it.
	MayRecreate bool

	// Quiet is for how long, in the run's own time, nobody may have written anything for a step to be over.
	// Default: 2 minutes. Controllers that wait for longer (RequeueAfter) need more.
	Quiet time.Duration
	// Random is how many runs under plans of several faults, chosen at random, follow the systematic ones.
	// Default: 20; with -short, and where it is negative, none.
	Random int
	// Budget of real time: no further run is begun once it is spent. Default: a minute.
	Budget time.Duration
}

// Step is something that the user does. The functions of this package make the usual ones.
type Step struct {
	// Name in traces.
	Name string
	// Do does it, with a client that no fault concerns. It is called once in each run; again, where it fails while
	// events are held back, once those have come: a user would wait for what the controllers do first.
	Do func(ctx context.Context, c client.Client) error
	// Unsettled has the next step follow at once, rather than when the controllers have done what they had to.
	Unsettled bool
}

// Report of a Search.
type Report struct {
	// Runs is how many runs there were, those to find the shortest plan included, and Planned how many plans there
	// were to run; fewer were where the budget was spent or something found.
	Runs, Planned int
	// Writes and Events are how many the undisturbed run had.
	Writes, Events int
	// Took is real time.
	Took time.Duration
	// Failure is what was found, nil if nothing was.
	Failure *Failure
}

// Failure is a run that did not end as it should.
type Failure struct {
	// Plan is the shortest that was found; empty where not even the undisturbed run is right.
	Plan Plan
	// Problem is how the end differs from that of the undisturbed run, in lines for people.
	Problem string
	// Trace of the run: steps, requests, events and faults, in order.
	Trace []string
	// Seed of the plan that was found first, where it was a random one.
	Seed uint64

	test string // its name
}

// Run fails the test if the controllers, disturbed by some plan, end in another state than undisturbed. It tries the plans
// of the Config, then each kind of fault at each write and event, then several faults at random; see Config.Random and Budget.
//
// Where the environment has SIMTEST_PLAN, it runs that plan only and logs the trace; SIMTEST_SEED is the seed of the random
// plans (default: 1, so that a test always does the same), SIMTEST_RUNS their number.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	r := Search(t, cfg)
	if r.Failure != nil {
		t.Fatal(r.Failure.String())
	}
	t.Logf("simtest: %d runs of %d plans in %v, %d writes and %d events undisturbed", r.Runs, r.Planned, r.Took.Round(time.Millisecond), r.Writes, r.Events)
}
