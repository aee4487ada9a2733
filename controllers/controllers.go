// Package controllers runs the controllers that make a cluster of a server: those that Kubernetes has in its
// kube-controller-manager, each a package below this one, written on package runtime, and an example to copy. They speak
// to any server over HTTP, and know nothing of ours.
//
// There are:
//
//   - storageversionmigration: brings stored objects into the present storage version of their kind.
package controllers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/keelson-project/keelson/controllers/storageversionmigration"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/leaderelection"
)

// Options of Run. The zero value is useful.
type Options struct {
	// Elect has the controllers run in one process at a time, of all that run them on one cluster: that which holds the
	// Lease kube-system/keelson-controllers.
	Elect bool
	// Logger gets the controllers' log; zero discards it.
	Logger logr.Logger
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
	for {
		mgr, err := newManager(cfg, o)
		if err != nil {
			return err
		}
		err = mgr.Run(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it is the end that was asked for
		}
		if errors.Is(err, leaderelection.ErrLost) {
			o.Logger.Info("another process may run the controllers now; waiting for a turn", "reason", err.Error())
		} else {
			o.Logger.Error(err, "the controllers ended; they start anew")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryPause):
		}
	}
}

func newManager(cfg client.Config, o Options) (*runtime.Manager, error) {
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{coordinationv1.AddToScheme, storageversionmigration.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	options := runtime.Options{Scheme: scheme, FieldOwner: "keelson-controllers", Logger: o.Logger, GracefulShutdownTimeout: -1}
	if o.Elect {
		lead, err := elector(cfg, scheme)
		if err != nil {
			return nil, err
		}
		options.LeaderElection = lead.Run
	}
	mgr, err := runtime.New(cfg, options)
	if err != nil {
		return nil, err
	}
	return mgr, storageversionmigration.Setup(mgr, storageversionmigration.Options{})
}

func elector(cfg client.Config, scheme *kruntime.Scheme) (*leaderelection.Elector, error) {
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
	})
}
