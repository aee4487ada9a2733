package main

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
	v1 "github.com/keelson-project/keelson/samples/cronjob/v1"
)

// Whatever goes wrong on the way, each job is started once.
func TestFaults(t *testing.T) {
	scheme, err := newScheme()
	ok(t, err)
	yearly := &v1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "yearly"},
		Spec: v1.CronJobSpec{
			Schedule: "0 3 1 1 *", // hours after virtual time begins, so that Config.Quiet sees it happen
			JobTemplate: v1.CronJobSpecJobTemplate{Spec: kruntime.RawExtension{Raw: []byte(
				`{"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "hello", "image": "busybox"}]}}}`)}},
		},
	}
	simtest.Run(t, simtest.Config{
		New: func(t testing.TB) client.Config {
			srv := apiservertest.Start(t, apiservertest.Options{CRDs: []string{"crd.yaml"}, NoListener: true})
			return client.Config{Host: "http://server", Transport: srv.Transport()}
		},
		Options: runtime.Options{Scheme: scheme, FieldOwner: "cronjob"},
		Quiet:   2 * time.Hour,
		Setup:   func(mgr *runtime.Manager) error { return setup(mgr, time.Now) },
		Steps: []simtest.Step{
			simtest.Create(yearly),
			simtest.Change(yearly, func(c *v1.CronJob) { c.Spec.FailedJobsHistoryLimit = new(int32(3)) }),
		},
	})
}
