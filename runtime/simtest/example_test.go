package simtest_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/internal/exampletest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/simtest"
)

// mirror writes the size of each ConfigMap into its annotation.
type mirror struct{ client client.Client }

func (m mirror) Reconcile(ctx context.Context, req runtime.Request) (runtime.Result, error) {
	var obj corev1.ConfigMap
	if err := m.client.Get(ctx, req.NamespacedName, &obj); err != nil {
		return runtime.Result{}, ignoreNotFound(err)
	}
	if size := fmt.Sprint(len(obj.Data)); obj.Annotations["size"] != size {
		obj.Annotations = map[string]string{"size": size} // and what else was there is gone
		return runtime.Result{}, m.client.Update(ctx, &obj)
	}
	return runtime.Result{}, nil
}

func Example() {
	scheme := kruntime.NewScheme()
	_ = corev1.AddToScheme(scheme)
	exampletest.Run(func(t *testing.T) {
		report := simtest.Search(t, simtest.Config{ // a test of one's own calls Run, which fails it
			New: func(t testing.TB) client.Config {
				srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
				return client.Config{Host: "http://server", Transport: srv.Transport()}
			},
			Options: runtime.Options{Scheme: scheme},
			Setup: func(mgr *runtime.Manager) error {
				return runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(mirror{mgr.Client()})
			},
			Steps: []simtest.Step{simtest.Create(app(map[string]string{"k": "v"}))},
		})
		fmt.Println(report.Failure.Plan)
		fmt.Println(report.Failure.Problem)
	})
	// Output:
	// conflict@1
	// configmaps default/app has lost an annotation that somebody else wrote just before one of the controllers' writes
}

func ExampleParsePlan() {
	plan, err := simtest.ParsePlan("crash@2,hold@configmaps:3+1")
	fmt.Println(err, plan[0].Kind, plan[0].At, "and", plan[1].Kind, plan[1].Resource, plan[1].At, plan[1].Steps)
	fmt.Println(plan)
	_, err = simtest.ParsePlan("crash@configmaps:1")
	fmt.Println(err)
	// Output:
	// <nil> crash 2 and hold configmaps 3 1
	// crash@2,hold@configmaps:3+1
	// simtest: "crash@configmaps:1" in a plan: faults at events have a resource, and those at writes have none
}
