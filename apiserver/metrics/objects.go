package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Objects counts the stored objects of one kind.
type Objects struct {
	Resource schema.GroupResource
	Count    int
	Bytes    int64 // of their encoded forms
}

// CollectObjects shows what count says at the time when somebody asks.
func (m *Metrics) CollectObjects(count func() []Objects) {
	m.registry.MustRegister(&objects{
		count: count,
		number: prometheus.NewDesc("apiserver_storage_objects", "Stored objects by kind, of kinds in the watch cache.",
			[]string{"resource"}, nil),
		size: prometheus.NewDesc("apiserver_resource_size_estimate_bytes", "Bytes of the stored objects by kind, of kinds in the watch cache.",
			[]string{"group", "resource"}, nil),
	})
}

type objects struct {
	count        func() []Objects
	number, size *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (o *objects) Describe(ch chan<- *prometheus.Desc) {
	ch <- o.number
	ch <- o.size
}

// Collect implements prometheus.Collector.
func (o *objects) Collect(ch chan<- prometheus.Metric) {
	for _, n := range o.count() {
		ch <- prometheus.MustNewConstMetric(o.number, prometheus.GaugeValue, float64(n.Count), n.Resource.String())
		ch <- prometheus.MustNewConstMetric(o.size, prometheus.GaugeValue, float64(n.Bytes), n.Resource.Group, n.Resource.Resource)
	}
}
