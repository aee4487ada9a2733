package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	goruntime "runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/runtime"
)

// metrics that the manager serves now, which must be readable, by name.
func metrics(t *testing.T, mgr *runtime.Manager) map[string]*dto.MetricFamily {
	t.Helper()
	_, text := get(t, mgr, "/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for name, f := range families {
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
	return families
}

// value of the metric with these labels, of a histogram how much is in it.
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
next:
	for _, m := range families[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		for i := 0; i < len(labels); i += 2 {
			if has[labels[i]] != labels[i+1] {
				continue next
			}
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	t.Errorf("there is no %s%q", name, labels)
	return 0
}

func TestMetrics(t *testing.T) { synctest.Test(t, testMetrics) }

func testMetrics(t *testing.T) {
	mgr := manager(t)
	began, release := make(chan struct{}, 1), make(chan struct{})
	mgr.AddMetrics(func(w io.Writer) { fmt.Fprint(w, "# HELP own The author's.\n# TYPE own gauge\nown 5\n") })
	c := collect(t, runtime.NewControllerManagedBy(mgr).Named("c").WithOptions(runtime.ControllerOptions{
		MaxConcurrentReconciles: 3, ReconcileTimeout: time.Minute,
	}), func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
		switch req.Name {
		case "held":
			began <- struct{}{}
			<-release
		case "slow":
			<-ctx.Done()
			return runtime.Result{}, runtime.TerminalError(context.Cause(ctx))
		case "wrong":
			return runtime.Result{}, errors.New("wrong")
		}
		return runtime.Result{}, nil
	})
	ok(t, mgr.Direct().Create(t.Context(), cm("one")))
	if err := mgr.Direct().Get(t.Context(), runtime.RequestFor(cm("none")).NamespacedName, &corev1.ConfigMap{}); err == nil {
		t.Fatal("found what is not there")
	}
	defer run(t, mgr)()
	for _, name := range []string{"slow", "wrong", "held"} {
		c.Enqueue(runtime.RequestFor(cm(name)))
	}
	<-began
	time.Sleep(time.Minute) // a slow one is told to end
	synctest.Wait()
	now := metrics(t, mgr)
	if n := value(t, now, "controller_runtime_active_workers", "controller", "c"); n != 1 {
		t.Errorf("%v active workers", n)
	}
	close(release)
	synctest.Wait()
	now = metrics(t, mgr)
	for _, want := range []struct {
		name   string
		labels []string
		least  float64
	}{
		{"controller_runtime_max_concurrent_reconciles", []string{"controller", "c"}, 3},
		{"controller_runtime_reconcile_time_seconds", []string{"controller", "c"}, 3},
		{"controller_runtime_reconcile_errors_total", []string{"controller", "c"}, 2},
		{"controller_runtime_terminal_reconcile_errors_total", []string{"controller", "c"}, 1},
		{"controller_runtime_reconcile_timeouts_total", []string{"controller", "c"}, 1},
		{"controller_runtime_reconcile_total", []string{"controller", "c", "result", "success"}, 1},
		{"rest_client_requests_total", []string{"method", "POST", "code", "201", "host", "server"}, 1},
		{"rest_client_requests_total", []string{"method", "GET", "code", "404"}, 1},
		{"rest_client_request_duration_seconds", []string{"verb", "POST", "host", "server"}, 1},
		{"workqueue_adds_total", []string{"controller", "c"}, 3},
		{"go_goroutines", nil, 2},
		{"own", nil, 5},
		{"go_memstats_alloc_bytes", nil, 1 << 10},
	} {
		if got := value(t, now, want.name, want.labels...); got < want.least {
			t.Errorf("%s%q is %v, want %v", want.name, want.labels, got, want.least)
		}
	}
	if goruntime.GOOS == "linux" {
		if n := value(t, now, "process_resident_memory_bytes"); n < 1<<20 || n > 1<<34 {
			t.Errorf("%v bytes of memory", n)
		}
		if n := value(t, now, "process_cpu_seconds_total"); n > 1e6 {
			t.Errorf("%v s of CPU", n)
		}
	}
}
