// Package controllers runs the controllers that make a cluster of a server: those that Kubernetes has in its
// kube-controller-manager, each a package below this one, written on package runtime, and an example to copy. They speak
// to any server over HTTP, and know nothing of ours.
//
// There are:
//
//   - garbagecollector: deletes objects whose owners are gone, and carries out foreground and orphaning deletions.
//   - namespace: empties namespaces that are being deleted, and lets them go.
//   - storageversionmigration: brings stored objects into the present storage version of their kind.
//
// Tests of other controllers run those that they need beside an apiservertest server:
//
//	apiservertest.Start(t, apiservertest.Options{Controllers: controllers.ForTest(garbagecollector.Name, namespace.Name)})
package controllers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/controllers/namespace"
	"github.com/keelson-project/keelson/controllers/storageversionmigration"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/leaderelection"
)

// Options of Run. The zero value is useful.
type Options struct {
	// Only are the names of the controllers to run. Default: all.
	Only []string
	// Elect has the controllers run in one process at a time, of all that run them on one cluster: that which holds the
	// Lease kube-system/keelson-controllers. Without it there is one server, too.
	Elect bool
	// OnStart is given the pages of the controllers that now run (runtime.Manager.Handler), each time that they start.
	OnStart func(pages http.Handler)
	// Logger gets the controllers' log; zero discards it.
	Logger logr.Logger

	settle time.Duration // see namespace.Options
}

// controller is one of those that Run runs.
type controller struct {
	name        string
	addToScheme func(*kruntime.Scheme) error
	setup       func(*runtime.Manager, Options) error
}

func all() []controller {
	return []controller{
		{garbagecollector.Name, func(*kruntime.Scheme) error { return nil }, func(mgr *runtime.Manager, o Options) error {
			const watched = 64 // kinds that a cluster has anyway, and a few more
			if o.settle < 0 {  // tests do not wait
				return garbagecollector.Setup(mgr, garbagecollector.Options{})
			}
			return garbagecollector.Setup(mgr, garbagecollector.Options{Park: watched})
		}},
		{namespace.Name, namespace.AddToScheme, func(mgr *runtime.Manager, o Options) error {
			return namespace.Setup(mgr, namespace.Options{Settle: o.settle})
		}},
		{storageversionmigration.Name, storageversionmigration.AddToScheme, func(mgr *runtime.Manager, _ Options) error {
			return storageversionmigration.Setup(mgr, storageversionmigration.Options{})
		}},
	}
}

// chosen are the controllers that o names.
func (o *Options) chosen() ([]controller, error) {
	known := all()
	if o.Only == nil {
		return known, nil
	}
	var some []controller
	for _, name := range o.Only {
		at := slices.IndexFunc(known, func(c controller) bool { return c.name == name })
		if at < 0 {
			return nil, fmt.Errorf("controllers: there is no %q", name)
		}
		some = append(some, known[at])
	}
	return some, nil
}

// ForTest is what apiservertest.Options.Controllers takes: the controllers of these names, which wait for no other server
// and log nothing.
func ForTest(names ...string) []func(context.Context, http.RoundTripper) error {
	return []func(context.Context, http.RoundTripper) error{func(ctx context.Context, transport http.RoundTripper) error {
		return Run(ctx, client.Config{Host: "http://keelson", Transport: transport}, Options{Only: append([]string{}, names...), settle: -1})
	}}
}

// retryPause is how long Run waits before it starts again what has failed.
const retryPause = time.Second

// Run runs all controllers on the server of cfg until ctx ends, and returns when they have: what they were in the middle of
// is taken up by those who come after. It starts again what fails. Error: a cfg that makes no sense.
//
// While there is nothing to do, they cost a watch on each kind that they work on.
func Run(ctx context.Context, cfg client.Config, o Options) error {
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	if o.settle == 0 && !o.Elect {
		o.settle = time.Second // deletion times are in seconds, and creations under way end in less
	}
	for {
		mgr, err := newManager(cfg, o)
		if err != nil {
			return err
		}
		if o.OnStart != nil {
			o.OnStart(mgr.Handler())
		}
		err = mgr.Run(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it is the end that was asked for
		}
		o.Logger.Error(err, "the controllers ended; they start anew")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryPause):
		}
	}
}

func newManager(cfg client.Config, o Options) (*runtime.Manager, error) {
	run, err := o.chosen()
	if err != nil {
		return nil, err
	}
	scheme := kruntime.NewScheme()
	if err := coordinationv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	for _, c := range run {
		if err := c.addToScheme(scheme); err != nil {
			return nil, err
		}
	}
	options := runtime.Options{Scheme: scheme, FieldOwner: "keelson-controllers", Logger: o.Logger, GracefulShutdownTimeout: -1}
	if o.Elect {
		lead, err := elector(cfg, scheme, o.Logger)
		if err != nil {
			return nil, err
		}
		options.LeaderElection = lead.Run
	}
	mgr, err := runtime.New(cfg, options)
	if err != nil {
		return nil, err
	}
	for _, c := range run {
		if err := c.setup(mgr, o); err != nil {
			return nil, err
		}
	}
	return mgr, nil
}

func elector(cfg client.Config, scheme *kruntime.Scheme, log logr.Logger) (*leaderelection.Elector, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("controllers: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme, FieldOwner: "keelson-controllers"})
	if err != nil {
		return nil, err
	}
	return leaderelection.New(leaderelection.Config{
		Client: c, Namespace: "kube-system", Name: "keelson-controllers", Identity: host + "_" + string(uuid.NewUUID()),
		Logger: log,
	})
}
