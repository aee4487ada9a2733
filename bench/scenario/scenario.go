// Package scenario holds the loads that bench compares servers by, one file each.
package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/keelson-project/keelson/bench/load"
	"github.com/keelson-project/keelson/bench/target"
)

// Scenario is one load.
type Scenario interface {
	// Name is what -scenarios selects it by.
	Name() string
	// Run puts the load on env's server and returns values by the IDs of report.Measures.
	Run(ctx context.Context, env *Env) (map[string]float64, error)
}

// Stages returns the scenarios in their order. Those of one stage share a server; each stage has a fresh one.
func Stages() [][]Scenario {
	return [][]Scenario{
		{Start{}, Idle{}, CRDFirst{}},
		{CRDCost{}},
		{ManyCRDs{}},
		{Create{}, List{}, Get{}, Apply{}},
		{Watch{}},
	}
}

// Sizes of the loads.
type Sizes struct {
	Objects  int // stored, and listed
	CRDs     int // created to measure the cost of one
	ManyCRDs int // held at once
	Workers  int // concurrent writers or readers
	Watchers int // concurrent watches
	// Lead is how many writes may be stored that not every watcher has been told of. kube-apiserver's watchers have room
	// for 10 events each before the goroutine that takes them on has run; when that is full, and the budget of time for
	// waiting is spent, they are ended without a word.
	Lead   int
	Settle time.Duration // waited before memory is read
}

// Env is a running server with what scenarios of one stage leave for the next.
type Env struct {
	Server *target.Running
	Client *load.Client
	Sizes  Sizes
	Ours   bool // the server is Keelson

	stored bool // objects of the type below are
}

// objects is the type whose objects are created, listed and read.
var objects = load.Type{Plural: "gadgets"}

// fill stores the objects unless they are.
func (e *Env) fill(ctx context.Context) (time.Duration, error) {
	if e.stored {
		return 0, nil
	}
	if err := e.install(ctx, objects); err != nil {
		return 0, err
	}
	d, err := load.Parallel(ctx, e.Sizes.Workers, e.Sizes.Objects, func(ctx context.Context, i int) error {
		_, err := e.Client.Do(ctx, load.Request{Method: "POST", Path: objects.Collection(), Body: objects.Object(name(i), i, i)})
		return err
	})
	e.stored = err == nil
	return d, err
}

// install creates the type's CRD and returns when an object of it can be stored; that object is deleted again.
func (e *Env) install(ctx context.Context, t load.Type) error {
	if _, err := e.Client.Do(ctx, load.Request{Method: "POST", Path: crds, Body: t.CRD()}); err != nil {
		return err
	}
	first := load.Request{Method: "POST", Path: t.Collection(), Body: t.Minimal("first")}
	if err := e.Client.Retry(ctx, first, 5*time.Millisecond, time.Minute); err != nil {
		return err
	}
	_, err := e.Client.Do(ctx, load.Request{Method: "DELETE", Path: t.Collection() + "/first"})
	return err
}

// cpu calls do and returns the servers' CPU time meanwhile.
func (e *Env) cpu(do func() error) (time.Duration, error) {
	before, err := e.Server.CPU()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := e.Server.CPU()
	return after - before, err
}

// settle waits until memory has come to rest, and reads it.
func (e *Env) settle(ctx context.Context) (target.Usage, error) {
	select {
	case <-ctx.Done():
		return target.Usage{}, ctx.Err()
	case <-time.After(e.Sizes.Settle):
		return e.Server.Usage()
	}
}

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

func name(i int) string { return fmt.Sprintf("gadget-%06d", i) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func kib(bytes int64) float64        { return float64(bytes) / 1024 }
