package apiserver

import (
	"context"
	"errors"
	"time"

	"github.com/keelson-project/keelson/apiserver/health"
)

// storeTimeout is how long a health check waits for the store.
const storeTimeout = 2 * time.Second

// newHealth returns the server's checks, under kube-apiserver's names where it has them.
func (s *Server) newHealth() *health.Checks {
	return health.New(s.log.WithName("health"),
		health.Ping(),
		health.Check{Name: "etcd", In: health.All, Test: s.storeAnswers},
		health.Check{Name: "etcd-readiness", In: health.Readyz, Test: s.storeAnswers},
		health.Check{Name: "poststarthook/start-apiextensions-informers", In: health.All, Test: closed(s.synced, "the stored CustomResourceDefinitions are still being read")},
		health.Check{Name: "poststarthook/start-system-namespaces-controller", In: health.Healthz | health.Readyz, Test: closed(s.ready, "the system namespaces are still being made")},
		health.Check{Name: "shutdown", In: health.Readyz, Test: func(context.Context) error {
			select {
			case <-s.stopping:
				return errors.New("process is shutting down")
			default:
				return nil
			}
		}},
	)
}

func (s *Server) storeAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := s.config.Store.Revision(ctx)
	return err
}

func closed(c <-chan struct{}, otherwise string) func(context.Context) error {
	return func(context.Context) error {
		select {
		case <-c:
			return nil
		default:
			return errors.New(otherwise)
		}
	}
}
