package simtest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/leaderelection"
	"github.com/keelson-project/keelson/runtime/simtest"
)

func plan(t *testing.T, text string) simtest.Plan {
	t.Helper()
	p, err := simtest.ParsePlan(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// find is what a search is to find.
func find(t *testing.T, cfg simtest.Config) *simtest.Failure {
	t.Helper()
	r := simtest.Search(t, cfg)
	if r.Failure == nil {
		t.Fatalf("nothing was found in %d runs", r.Runs)
	}
	return r.Failure
}

// The same plan is the same run, to the last event; in a shuffled order, too.
func TestRunsRepeat(t *testing.T) {
	for _, text := range []string{"lost@2", "lost@2,shuffle@7", "crash@1,lost@2,hold@configmaps:2,drop@configmaps:4,shuffle@8"} {
		t.Setenv("SIMTEST_PLAN", text)
		first, second := find(t, assumesTimeoutsFailed(false)), find(t, assumesTimeoutsFailed(false))
		if !slices.Equal(first.Trace, second.Trace) {
			t.Errorf("%s:\n%s\nand then\n%s", text, strings.Join(first.Trace, "\n"), strings.Join(second.Trace, "\n"))
		}
	}
}

// Of a plan, what has nothing to do with the finding is taken out.
func TestShortestPlan(t *testing.T) {
	cfg := notCrashSafe(false)
	cfg.Plans = []simtest.Plan{plan(t, "drop@configmaps:1,shuffle@3,crash@1,throttle@3,unread@9")}
	if got := find(t, cfg).Plan.String(); got != "crash@1" {
		t.Errorf("the shortest plan is %s", got)
	}
}

// Random plans are made of a seed, which makes them again.
func TestSeeds(t *testing.T) {
	t.Setenv("SIMTEST_SEED", "80")
	t.Setenv("SIMTEST_RUNS", "20")
	cfg := givesUpTheSecondTime()
	first, second := find(t, cfg), find(t, cfg)
	if first.Seed == 0 || first.Seed != second.Seed || len(first.Plan) != 2 {
		t.Errorf("found %s with seed %d, then %s with %d", first.Plan, first.Seed, second.Plan, second.Seed)
	}
}

// givesUpTheSecondTime is a controller that one fault does not stop.
func givesUpTheSecondTime() simtest.Config {
	return config(func(mgr *runtime.Manager) error {
		failures := 0
		return setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
			err := mgr.Client().Create(ctx, secret("child"))
			if err == nil || apierrors.IsAlreadyExists(err) {
				return nil
			}
			if failures++; failures > 1 {
				return runtime.TerminalError(err)
			}
			return err
		})(mgr)
	}, simtest.Create(app(nil)))
}

// What is wrong without any fault is said as such.
func TestUndisturbed(t *testing.T) {
	fine := func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		return ignoreExists(mgr.Client().Create(ctx, secret("child")))
	}
	var runs atomic.Int32
	for name, c := range map[string]struct {
		change func(*simtest.Config)
		want   string // part of the problem
	}{
		"nothing is written": {func(c *simtest.Config) {
			c.Setup = setup(func(context.Context, *runtime.Manager, *corev1.ConfigMap) error { return nil })
		}, "wrote nothing"},
		"no rest": {func(c *simtest.Config) {
			c.Setup = setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
				app.Data = map[string]string{"n": app.Data["n"] + "."}
				if len(app.Data["n"]) > 80 {
					app.Data["n"] = ""
				}
				return mgr.Client().Update(ctx, app)
			})
		}, "never come to rest"},
		"not alike": {func(c *simtest.Config) {
			c.Setup = setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
				if app.Data["run"] != "" {
					return nil
				}
				app.Data = map[string]string{"run": fmt.Sprint(runs.Add(1))}
				return mgr.Client().Update(ctx, app)
			})
		}, "two undisturbed runs end differently"},
		"check": {func(c *simtest.Config) {
			c.Check = func(ctx context.Context, c client.Client) error {
				return c.Get(ctx, client.ObjectKey{Namespace: "default", Name: "other"}, &corev1.Secret{})
			}
		}, `secrets "other" not found`},
		"step": {func(c *simtest.Config) {
			c.Steps = append(c.Steps, simtest.Create(app(nil)))
		}, `configmaps "app" already exists`},
		"setup": {func(c *simtest.Config) {
			c.Setup = func(*runtime.Manager) error { return errors.New("no idea") }
		}, "Config.Setup: no idea"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(setup(fine), simtest.Create(app(nil)))
			c.change(&cfg)
			f := find(t, cfg)
			if !strings.Contains(f.Problem, c.want) || len(f.Plan) != 0 {
				t.Errorf("with the plan %s: %s", f.Plan, f.Problem)
			}
		})
	}
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// What differs from run to run does not count: generated names, UIDs, times, generations, and what the author says.
func TestNotCompared(t *testing.T) {
	var runs atomic.Int32
	cfg := config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		c := mgr.Client()
		if app.Data["child"] == "" {
			child := secret("")
			child.GenerateName = "child-"
			if err := c.Create(ctx, child); err != nil {
				return err
			}
			app.Data = map[string]string{"child": child.Name, "uid": "it is " + string(child.UID), "owner": string(app.UID),
				"time": child.CreationTimestamp.UTC().Format("2006-01-02T15:04:05Z07:00"), "run": fmt.Sprint(runs.Add(1))}
			return c.Update(ctx, app)
		}
		other := secret("other")
		other.Data = map[string][]byte{"run": []byte(app.Data["run"])}
		return ignoreExists(c.Create(ctx, other))
	}), simtest.Create(app(nil)))
	cfg.Ignore = []string{"data.run"}
	t.Setenv("SIMTEST_PLAN", "hold@configmaps:1")
	simtest.Run(t, cfg)
	cfg.Ignore = nil
	cfg.Normalize = func(obj *unstructured.Unstructured) bool {
		unstructured.RemoveNestedField(obj.Object, "data", "run")
		return obj.GetName() != "other"
	}
	simtest.Run(t, cfg)
}

// A manager that ends by itself is started again, as whoever runs the process would do; but not for ever.
func TestManagerEnds(t *testing.T) {
	for _, often := range []int{1, 1000} {
		ended := 0
		cfg := config(nil, simtest.Create(app(nil)))
		cfg.Setup = func(mgr *runtime.Manager) error {
			if ended < often {
				if err := mgr.Add(func(context.Context) error { ended++; return errors.New("no luck") }, false); err != nil {
					return err
				}
			}
			return setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
				return ignoreExists(mgr.Client().Create(ctx, secret("child")))
			})(mgr)
		}
		t.Setenv("SIMTEST_PLAN", "crash@1")
		if f := simtest.Search(t, cfg).Failure; (f != nil) != (often > 1) {
			t.Errorf("%d times: %v", often, f)
		}
	}
}

// Each process has an identity of its own, and waits until the lease of the one that crashed has run out. What
// controllers beside the server do is no matter of faults, and is waited for.
func TestWholeProcesses(t *testing.T) {
	processes := 0
	cfg := config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		child := secret("child")
		if err := runtime.SetControllerReference(app, child, mgr.Scheme()); err != nil {
			return err
		}
		return ignoreExists(mgr.Client().Create(ctx, child))
	}), simtest.Create(app(nil)), simtest.Delete(app(nil)))
	cfg.New = func(t testing.TB) client.Config {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true, Controllers: controllers.ForTest(garbagecollector.Name)})
		return client.Config{Host: "http://server", Transport: srv.Transport()}
	}
	_ = coordinationv1.AddToScheme(cfg.Options.Scheme)
	cfg.Process = func(c client.Config, o *runtime.Options) error {
		processes++
		direct, err := client.New(c, client.Options{Scheme: o.Scheme})
		if err != nil {
			return err
		}
		e, err := leaderelection.New(leaderelection.Config{Client: direct, Namespace: "default", Name: "app", Identity: fmt.Sprint(processes)})
		if err == nil {
			o.LeaderElection = e.Run
		}
		return err
	}
	cfg.Check = func(ctx context.Context, c client.Client) error {
		var left corev1.SecretList
		if err := c.List(ctx, &left); err != nil || len(left.Items) > 0 {
			return fmt.Errorf("%d children are left: %w", len(left.Items), err)
		}
		return nil
	}
	t.Setenv("SIMTEST_PLAN", "crash@1")
	simtest.Run(t, cfg)
	if processes != 4 { // two undisturbed ones, and two in the run with a crash
		t.Errorf("there were %d processes", processes)
	}
}

// Reads of the server fail, too.
func TestUnread(t *testing.T) {
	reconcile := func(correct bool) simtest.Config {
		return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
			s := secret("token")
			err := mgr.Direct().Get(ctx, client.KeyOf(s), s)
			switch {
			case err == nil:
				return nil
			case correct && !apierrors.IsNotFound(err):
				return err
			}
			if err := ignoreNotFound(mgr.Client().Delete(ctx, secret("token"))); err != nil { // in case that it is broken
				return err
			}
			return mgr.Client().Create(ctx, secret("token"))
		}), simtest.Create(app(map[string]string{"color": "red"})), change("color", "blue"))
	}
	if got := find(t, reconcile(false)).Plan.String(); got != "unread@2" {
		t.Errorf("found by %s", got)
	}
	simtest.Run(t, reconcile(true))
}
