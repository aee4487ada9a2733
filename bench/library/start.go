package library

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/controllers/namespace"
)

// Start compares what a test waits for before it has a server: apiservertest, and envtest where its binaries are given
// by KUBE_APISERVER and ETCD (envtest has no controllers, so there is no peer for those).
type Start struct{ first sync.Once }

// Name implements Scenario.
func (*Start) Name() string { return "lib-start" }

// Loads implements Scenario.
func (s *Start) Loads() []Load {
	bare := Load{Keelson: s.ours("lib-start", apiservertest.Options{})}
	if apiserver, etcd := os.Getenv("KUBE_APISERVER"), os.Getenv("ETCD"); apiserver != "" && etcd != "" {
		bare.Peer = func(ctx context.Context) (map[string]float64, error) { return startEnvtest(ctx, apiserver, etcd) }
	}
	return []Load{bare, {Keelson: s.ours("lib-start-controllers", apiservertest.Options{
		Controllers: controllers.ForTest(garbagecollector.Name, namespace.Name),
	})}}
}

// ours measures starts of servers, which have been stopped again. The first one of this process is told apart: that is
// what a package with a single test has.
func (s *Start) ours(id string, o apiservertest.Options) func(context.Context) (map[string]float64, error) {
	return func(ctx context.Context) (map[string]float64, error) {
		values := map[string]float64{}
		all, err := benchmark(id, 1, func(b *testing.B) {
			s.first.Do(func() {
				begun := time.Now()
				apiservertest.Start(b, o).Stop()
				values["lib-start-first"] = millis(time.Since(begun))
			})
			for b.Loop() {
				apiservertest.Start(b, o).Stop()
			}
		})(ctx)
		if err == nil {
			values[id] = all[id] / float64(time.Millisecond)
		}
		return values, err
	}
}

func startEnvtest(ctx context.Context, apiserver, etcd string) (map[string]float64, error) {
	const starts = 3
	var took time.Duration
	for range starts {
		env := &envtest.Environment{}
		env.ControlPlane.GetAPIServer().Path = apiserver
		env.ControlPlane.Etcd = &envtest.Etcd{Path: etcd}
		begun := time.Now()
		_, err := env.Start()
		took += time.Since(begun)
		if err = errors.Join(err, env.Stop(), ctx.Err()); err != nil {
			return nil, err
		}
	}
	return map[string]float64{"lib-start": millis(took / starts)}, nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
