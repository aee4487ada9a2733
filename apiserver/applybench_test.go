package apiserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

// appliedCRD has a spec of 40 properties and a rule, as bench's objects have.
func appliedCRD() string {
	props := []string{
		`"seq":{"type":"integer","minimum":0}`, `"replicas":{"type":"integer","minimum":0,"maximum":1000,"default":1}`, `"max":{"type":"integer","minimum":0}`,
		`"phase":{"type":"string","enum":["Blue","Green","Red"]}`, `"args":{"type":"array","maxItems":20,"items":{"type":"string","maxLength":100}}`,
		`"settings":{"type":"object","additionalProperties":{"type":"string"}}`,
	}
	for i := len(props); i < 40; i++ {
		props = append(props, fmt.Sprintf(`"field%02d":{"type":"string","maxLength":200,"pattern":"^[a-z0-9 -]*$"}`, i))
	}
	return `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.bench.example.com"},"spec":{
		"group":"bench.example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,
		"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["seq","max"],"properties":{` + strings.Join(props, ",") + `},
		"x-kubernetes-validations":[{"rule":"self.replicas <= self.max","message":"replicas must not exceed max"}]}}}}}]}}`
}

// applied is a configuration of about 1.6 KB, as bench's.
func applied(name string, seq int) string {
	fields := []string{
		fmt.Sprintf(`"seq":%d`, seq), `"replicas":3`, `"max":10`, `"phase":"Green"`, `"args":["--verbose","--level=3"]`,
		`"settings":{"a":"one","b":"two","c":"three"}`,
	}
	for i := 6; i < 40; i++ {
		fields = append(fields, fmt.Sprintf(`"field%02d":"a value of a usual length"`, i))
	}
	return `{"apiVersion":"bench.example.com/v1","kind":"Thing","metadata":{"name":"` + name + `","labels":{"app":"bench"}},"spec":{` + strings.Join(fields, ",") + `}}`
}

// BenchmarkApply applies configurations that change an object, that change nothing, and that no longer mention a field; and
// patches what was applied.
func BenchmarkApply(b *testing.B) {
	s := apiservertest.Start(b, apiservertest.Options{})
	serve(b, s, http.MethodPost, crds, appliedCRD())
	const path = "/apis/bench.example.com/v1/namespaces/default/things/"
	const apply, merge = "application/apply-patch+yaml", "application/merge-patch+json"
	patch := func(name, query, media string, body func(i int) string) {
		b.Run(name, func(b *testing.B) {
			n, before := 0, processTime()
			b.ReportAllocs()
			for b.Loop() {
				serveAs(b, s, http.MethodPatch, path+name+query, body(n), media)
				n++
			}
			b.ReportMetric(float64((processTime()-before).Microseconds())/float64(n), "µs-CPU/op")
		})
	}
	run := func(name string, config func(i int) string) {
		patch(name, "?fieldManager=bench&force=true", apply, config)
	}
	run("changed", func(i int) string { return applied("changed", i) })
	run("same", func(int) string { return applied("same", 1) })
	run("dropped", func(i int) string {
		if i%2 == 0 {
			return applied("dropped", i)
		}
		return strings.Replace(applied("dropped", i), `"field20":"a value of a usual length",`, "", 1)
	})
	serveAs(b, s, http.MethodPatch, path+"patched?fieldManager=bench&force=true", applied("patched", 1), apply)
	patch("patched", "?fieldManager=other", merge, func(i int) string { return fmt.Sprintf(`{"spec":{"seq":%d}}`, i) })
}

// processTime is the time that all processors have spent on this process.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
