// Package leaderelection has one of several processes lead at a time, by a Lease (coordination.k8s.io/v1).
//
// Whoever holds the Lease renews it every RetryPeriod. A holder that fails to for RenewDeadline stops leading; others
// take a Lease that has not changed for LeaseDuration by their own clock, so clocks need not agree, only run at
// about one speed.
package leaderelection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

// ErrLost is the cause in the context of who led when the Lease could not be renewed in time.
var ErrLost = errors.New("leaderelection: the lease was lost")

// Config of an Elector. Client (which must not read from a cache and knows coordination.k8s.io/v1), Namespace, Name
// and Identity are required.
type Config struct {
	Client                                    client.Client
	Namespace, Name                           string
	Identity                                  string        // of this process, among all that compete
	LeaseDuration, RenewDeadline, RetryPeriod time.Duration // Defaults: 15 s, 10 s, 2 s.
	Logger                                    logr.Logger
}

// Elector competes for a Lease.
type Elector struct {
	cfg   Config
	seen  coordinationv1.LeaseSpec // as last read
	when  time.Time                // when seen last changed, by our clock
	leads atomic.Bool
}

// New makes an Elector. It starts nothing.
func New(cfg Config) (*Elector, error) {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&cfg.LeaseDuration, 15 * time.Second}, {&cfg.RenewDeadline, 10 * time.Second}, {&cfg.RetryPeriod, 2 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if cfg.Logger.GetSink() == nil {
		cfg.Logger = logr.Discard()
	}
	if cfg.Client == nil || cfg.Name == "" || cfg.Namespace == "" || cfg.Identity == "" {
		return nil, errors.New("leaderelection: Client, Namespace, Name and Identity are required")
	}
	if cfg.LeaseDuration <= cfg.RenewDeadline || cfg.RenewDeadline <= cfg.RetryPeriod {
		return nil, fmt.Errorf("leaderelection: want LeaseDuration > RenewDeadline > RetryPeriod, have %v, %v, %v", cfg.LeaseDuration, cfg.RenewDeadline, cfg.RetryPeriod)
	}
	return &Elector{cfg: cfg}, nil
}

// Run waits for the Lease, then runs lead until that returns, ctx ends or the Lease is lost, when lead's context ends
// with ErrLost as its cause. A Lease that is held still is given up, once lead has returned. After a loss, Run waits for
// its turn again: a server that does not answer for a while does not end the process. It returns what lead has where
// that returned by itself, and nil where ctx ended.
func (e *Elector) Run(ctx context.Context, lead func(context.Context) error) error {
	for {
		lost, err := e.turn(ctx, lead)
		if !lost || ctx.Err() != nil {
			return err
		}
		if err != nil { // lead failed as its context ended, or because of that
			e.cfg.Logger.Info("What led has ended with an error after the lease was lost", "reason", err.Error())
		}
	}
}

// WriteMetrics writes whether this process leads, in the text format of Prometheus and under client-go's name. It is for
// Manager.AddMetrics.
func (e *Elector) WriteMetrics(w io.Writer) {
	leads := 0
	if e.leads.Load() {
		leads = 1
	}
	const name = "leader_election_master_status"
	fmt.Fprintf(w, "# HELP %s 1 where this process leads, 0 where it stands by.\n# TYPE %s gauge\n%s{name=%q} %d\n", name, name, name, e.cfg.Name, leads)
}

// turn leads once, and says whether that ended because the Lease was lost.
func (e *Elector) turn(ctx context.Context, lead func(context.Context) error) (lost bool, err error) {
	tick := time.NewTicker(e.cfg.RetryPeriod)
	defer tick.Stop()
	for held, _ := e.try(ctx, e.cfg.Identity); !held; held, _ = e.try(ctx, e.cfg.Identity) {
		select {
		case <-ctx.Done():
			return false, nil
		case <-tick.C:
		}
	}
	e.leads.Store(true)
	defer e.leads.Store(false)
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { done <- lead(leading) }()
	for renewed := time.Now(); ; {
		select {
		case err := <-done:
			release, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.cfg.RetryPeriod)
			defer cancel()
			_, _ = e.try(release, "") // otherwise it runs out by itself
			return false, err
		case <-tick.C:
		}
		attempt, cancel := context.WithDeadline(context.WithoutCancel(ctx), renewed.Add(e.cfg.RenewDeadline))
		began := time.Now()
		held, err := e.try(attempt, e.cfg.Identity)
		cancel()
		if held {
			renewed = began
		} else if err == nil || time.Since(renewed) >= e.cfg.RenewDeadline {
			e.cfg.Logger.Info("The lease was lost; waiting for another turn", "reason", fmt.Sprint(err))
			stop(ErrLost)
			return true, <-done
		}
	}
}

// try takes or renews the Lease in the name of holder, or gives it up where that is "". It reports whether we hold
// it; an error leaves that open.
func (e *Elector) try(ctx context.Context, holder string) (bool, error) {
	lease := &coordinationv1.Lease{}
	lease.Namespace, lease.Name = e.cfg.Namespace, e.cfg.Name
	err := e.cfg.Client.Get(ctx, client.KeyOf(lease), lease)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return false, err
	}
	old, now := lease.Spec, metav1.NowMicro()
	was := ""
	if old.HolderIdentity != nil {
		was = *old.HolderIdentity
	}
	if e.when.IsZero() || !same(e.seen, old) {
		e.seen, e.when = old, now.Time
	}
	if was != e.cfg.Identity && (holder == "" || was != "" && now.Sub(e.when) < e.cfg.LeaseDuration) {
		return false, nil
	}
	seconds, changes := int32(e.cfg.LeaseDuration/time.Second), int32(0)
	if old.LeaseTransitions != nil {
		changes = *old.LeaseTransitions
	}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, &now
	lease.Spec.LeaseDurationSeconds, lease.Spec.LeaseTransitions = new(max(1, seconds)), &changes
	if was != holder {
		lease.Spec.AcquireTime = &now
		changes++
	}
	if missing {
		lease.Namespace, lease.Name = e.cfg.Namespace, e.cfg.Name
		err = e.cfg.Client.Create(ctx, lease)
	} else {
		err = e.cfg.Client.Update(ctx, lease)
	}
	return err == nil, err
}

func same(a, b coordinationv1.LeaseSpec) bool {
	return (a.HolderIdentity == nil) == (b.HolderIdentity == nil) &&
		(a.HolderIdentity == nil || *a.HolderIdentity == *b.HolderIdentity) && a.RenewTime.Equal(b.RenewTime)
}
