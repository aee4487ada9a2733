package simtest_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
)

// The reconcilers here make Secrets of the ConfigMap "app". Each broken one is wrong in one way that authors' are, and
// its twin, with correct set, is not.

// setup is a controller of the ConfigMap app.
func setup(reconcile func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error, predicates ...runtime.Predicate) func(*runtime.Manager) error {
	return func(mgr *runtime.Manager) error {
		return runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}, predicates...).Complete(runtime.ReconcilerFunc(
			func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
				app := &corev1.ConfigMap{}
				if err := mgr.Client().Get(ctx, req.NamespacedName, app); err != nil || app.Name != "app" {
					return runtime.Result{}, ignoreNotFound(err)
				}
				return runtime.Result{}, reconcile(ctx, mgr, app)
			}))
	}
}

func config(setup func(*runtime.Manager) error, steps ...simtest.Step) simtest.Config {
	scheme := kruntime.NewScheme()
	_ = corev1.AddToScheme(scheme)
	return simtest.Config{
		New: func(t testing.TB) client.Config {
			return client.Config{Host: "http://server", Transport: apiservertest.Start(t, apiservertest.Options{NoListener: true}).Transport()}
		},
		Options: runtime.Options{Scheme: scheme, FieldOwner: "app"},
		Setup:   setup, Steps: steps, Random: -1,
	}
}

func app(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "app"}, Data: data}
}

func secret(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func change(key, value string) simtest.Step {
	return simtest.Change(app(nil), func(c *corev1.ConfigMap) { c.Data[key] = value })
}

// It gives its child a random name and writes down afterwards which: who dies in between has another one.
func notCrashSafe(correct bool) simtest.Config {
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		if app.Data["child"] != "" {
			return nil
		}
		child := secret("app-child")
		if !correct {
			child.Name, child.GenerateName = "", "app-"
		}
		if err := mgr.Client().Create(ctx, child); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		app.Data = map[string]string{"child": child.Name}
		return mgr.Client().Update(ctx, app)
	}), simtest.Create(app(nil)))
}

// It deletes because its cache says so, which after a restart may be what was true some time ago.
func trustsTheCache(correct bool) simtest.Config {
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		c := mgr.Client()
		if app.Data["volume"] == "wanted" {
			err := c.Create(ctx, secret("volume"))
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		}
		if correct { // what cannot be undone is worth a request
			if err := mgr.Direct().Get(ctx, client.KeyOf(app), app); err != nil || app.Data["volume"] == "wanted" {
				return ignoreNotFound(err)
			}
		}
		return ignoreNotFound(c.Delete(ctx, secret("volume")))
	}), simtest.Create(app(map[string]string{"volume": "unwanted"})), change("volume", "wanted"))
}

// It acts on changes only, not on what there is.
func missesIntermediates(correct bool) simtest.Config {
	edges := func(e runtime.Event) bool {
		return correct || e.Type == watch.Modified && e.Old.(*corev1.ConfigMap).Data["color"] != e.New.(*corev1.ConfigMap).Data["color"]
	}
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		s := secret("color")
		_, err := runtime.CreateOrUpdate(ctx, mgr.Client(), s, func() error {
			s.Data = map[string][]byte{"color": []byte(app.Data["color"])}
			return nil
		})
		return err
	}, edges), simtest.Create(app(map[string]string{"color": "red"})), change("color", "blue"))
}

// It takes a conflict for somebody else's business, of which its watch would tell; but not every change gets through.
func ignoresConflicts(correct bool) simtest.Config {
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		if app.Data["tier"] == app.Labels["tier"] {
			return nil
		}
		app.Data = map[string]string{"tier": app.Labels["tier"]}
		err := mgr.Client().Update(ctx, app)
		if !correct && apierrors.IsConflict(err) {
			return nil
		}
		return err
	}, runtime.LabelsChanged), simtest.Create(labelled("front")))
}

// It overwrites the whole object, whatever others have written into it.
func overwrites(correct bool) simtest.Config {
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		if app.Data["tier"] == app.Labels["tier"] {
			return nil
		}
		app.Data = map[string]string{"tier": app.Labels["tier"]}
		if !correct {
			app.ResourceVersion = ""
		}
		return mgr.Client().Update(ctx, app)
	}), simtest.Create(labelled("front")))
}

func labelled(tier string) *corev1.ConfigMap {
	obj := app(nil)
	obj.Labels = map[string]string{"tier": tier}
	return obj
}

// It writes down which child it is about to make, and so is safe from crashes; but it takes an error for a proof that
// there is none, and tries another name.
func assumesTimeoutsFailed(correct bool) simtest.Config {
	return config(setup(func(ctx context.Context, mgr *runtime.Manager, app *corev1.ConfigMap) error {
		c := mgr.Client()
		if app.Data["child"] == "" {
			app.Data = map[string]string{"child": "child"}
			return c.Update(ctx, app)
		}
		err := c.Create(ctx, secret(app.Data["child"]))
		switch {
		case err == nil || apierrors.IsAlreadyExists(err):
			return nil
		case !correct && ctx.Err() == nil:
			app.Data["child"] += "-again"
			return c.Update(ctx, app)
		}
		return err
	}), simtest.Create(app(nil)))
}

// Each way of being wrong is found, by the plan that fits it; and who is right about it passes all plans.
func TestFindsWhatIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		config func(correct bool) simtest.Config
		plan   string
	}{
		"not crash-safe":       {notCrashSafe, "crash@1"},
		"trusts the cache":     {trustsTheCache, "stale@2"},
		"misses intermediates": {missesIntermediates, "miss@configmaps:1+1"},
		"ignores conflicts":    {ignoresConflicts, "conflict@1"},
		"overwrites":           {overwrites, "conflict@1"},
		"timeouts":             {assumesTimeoutsFailed, "lost@2"},
	} {
		t.Run(name, func(t *testing.T) {
			found := simtest.Search(t, c.config(false))
			if found.Failure == nil {
				t.Fatalf("nothing was found in %d runs", found.Runs)
			}
			t.Log(found.Failure)
			if got := found.Failure.Plan.String(); got != c.plan {
				t.Errorf("found with the plan %s, want %s", got, c.plan)
			}
			simtest.Run(t, c.config(true))
		})
	}
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
