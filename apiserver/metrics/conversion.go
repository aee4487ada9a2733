package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// conversionBuckets of durations in seconds are kube-apiserver's for conversion webhooks.
var conversionBuckets = []float64{.005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 20, 30, 45, 60}

func (m *Metrics) defineConversions() {
	labels := []string{"result", "failure_type"}
	m.conversions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apiserver_conversion_webhook_request_total", Help: "Calls of conversion webhooks.",
	}, labels)
	m.conversionDurations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "apiserver_conversion_webhook_duration_seconds", Help: "Seconds that calls of conversion webhooks took.", Buckets: conversionBuckets,
	}, labels)
	m.registry.MustRegister(m.conversions, m.conversionDurations)
}

// Conversion counts one call of a conversion webhook; failure is "" where it succeeded.
func (m *Metrics) Conversion(took time.Duration, failure string) {
	result := "success"
	if failure != "" {
		result = "failure"
	}
	m.conversions.WithLabelValues(result, failure).Inc()
	m.conversionDurations.WithLabelValues(result, failure).Observe(took.Seconds())
}
