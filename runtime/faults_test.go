package runtime_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
	"github.com/keelson-project/keelson/runtime/simtest"
)

// copier applies a Secret for each ConfigMap, with what the ConfigMaps say that name it as their base.
type copier struct {
	client.Client
	recorder *events.Recorder
}

func (r *copier) Reconcile(ctx context.Context, obj *corev1.ConfigMap) (runtime.Result, error) {
	var based corev1.ConfigMapList
	if err := r.List(ctx, &based, client.InNamespace(obj.Namespace), client.MatchingFields{"base": obj.Name}); err != nil {
		return runtime.Result{}, err
	}
	secret := &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Data: map[string][]byte{"self": []byte(obj.Data["say"])}}
	secret.Namespace, secret.Name = obj.Namespace, obj.Name
	for i := range based.Items {
		secret.Data[based.Items[i].Name] = []byte(based.Items[i].Data["say"])
	}
	if err := runtime.SetControllerReference(obj, secret, r.Scheme()); err != nil {
		return runtime.Result{}, err
	}
	r.recorder.Eventf(obj, secret, "Normal", "Copied", "Copy", "%d are based on it", len(based.Items))
	return runtime.Result{}, r.Apply(ctx, secret, client.ForceOwnership)
}

// A reconciler that lists by an index, maps, applies and records arrives where it should, whatever goes wrong on the way:
// an Apply that is not sent is one that was not needed.
func TestFaults(t *testing.T) {
	scheme := kruntime.NewScheme()
	ok(t, corev1.AddToScheme(scheme))
	one, two := cm("one"), cm("two")
	one.Data = map[string]string{"say": "a"}
	two.Data = map[string]string{"say": "b", "base": "one"}
	base := func(_ context.Context, obj client.Object) ([]runtime.Request, error) {
		if name := obj.(*corev1.ConfigMap).Data["base"]; name != "" {
			return []runtime.Request{runtime.RequestFor(cm(name))}, nil
		}
		return nil, nil
	}
	secret := &corev1.Secret{ObjectMeta: one.ObjectMeta}
	simtest.Run(t, simtest.Config{
		New: func(t testing.TB) client.Config {
			srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
			return client.Config{Host: "http://server", Transport: srv.Transport()}
		},
		Options: runtime.Options{Scheme: scheme, FieldOwner: "copier"},
		Setup: func(mgr *runtime.Manager) error {
			err := runtime.IndexField(mgr, "base", func(obj *corev1.ConfigMap) []string { return []string{obj.Data["base"]} })
			if err != nil {
				return err
			}
			return runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).
				Watches(&corev1.ConfigMap{}, runtime.EnqueueMapped(base)).
				Complete(runtime.AsReconciler(mgr.Client(), &copier{mgr.Client(), mgr.EventRecorder("copier")}))
		},
		Steps: []simtest.Step{
			simtest.Create(one),
			simtest.Change(secret, func(s *corev1.Secret) { s.Data["self"] = []byte("x") }),
			simtest.Create(two),
		},
		Random: -1,
	})
}
