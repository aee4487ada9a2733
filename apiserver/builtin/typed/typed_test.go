package typed_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/builtin/typed"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func compiler() *typed.Compiler { return typed.NewCompiler(models.Embedded(), nil) }

// goTypes are kinds of several groups; those that Keelson does not serve yet show that they would be data only.
var goTypes = map[string]any{
	"core.v1.Namespace":        &corev1.Namespace{},
	"core.v1.ConfigMap":        &corev1.ConfigMap{},
	"core.v1.Secret":           &corev1.Secret{},
	"core.v1.ServiceAccount":   &corev1.ServiceAccount{},
	"core.v1.Service":          &corev1.Service{},
	"core.v1.Pod":              &corev1.Pod{},
	"core.v1.Node":             &corev1.Node{},
	"core.v1.PersistentVolume": &corev1.PersistentVolume{},
	"core.v1.Event":            &corev1.Event{},
	"events.v1.Event":          &eventsv1.Event{},
	"coordination.v1.Lease":    &coordinationv1.Lease{},
	"apps.v1.Deployment":       &appsv1.Deployment{},
	"apps.v1.StatefulSet":      &appsv1.StatefulSet{},
	"batch.v1.CronJob":         &batchv1.CronJob{},
	"networking.v1.Ingress":    &networkingv1.Ingress{},
	"rbac.v1.ClusterRole":      &rbacv1.ClusterRole{},
	"storage.v1.StorageClass":  &storagev1.StorageClass{},
}

// example is the fully populated object that k8s.io/api keeps of each kind for its own round trip tests.
func example(t testing.TB, model string) resource.Object {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(model, ".")
	group := map[string]string{
		"events": "events.k8s.io", "coordination": "coordination.k8s.io", "networking": "networking.k8s.io",
		"rbac": "rbac.authorization.k8s.io", "storage": "storage.k8s.io",
	}[parts[0]]
	if group == "" {
		group = parts[0]
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "testdata/HEAD", group+".v1."+parts[2]+".json"))
	if err != nil {
		t.Fatal(err)
	}
	obj, err := resource.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// roundTrip is the model of the whole package: through the Go type and back.
func roundTrip(t testing.TB, obj resource.Object, goType any) resource.Object {
	t.Helper()
	data, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(reflect.TypeOf(goType).Elem()).Interface()
	if err := kjson.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
	if data, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	out, err := resource.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	dropNulls(out)
	return out
}

// dropNulls removes what Keelson never stores: lists and maps that Go encodes as null. Times are stored so, too.
func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil && !strings.HasSuffix(k, "Time") && !strings.HasSuffix(k, "Timestamp") && !strings.HasSuffix(k, "At") {
				delete(v, k)
			}
			dropNulls(e)
		}
	case []any:
		for _, e := range v {
			dropNulls(e)
		}
	}
}

func TestExamplesAreUnchanged(t *testing.T) {
	c := compiler()
	for model, goType := range goTypes {
		t.Run(model, func(t *testing.T) {
			s := c.Schema("io.k8s.api."+model, goType, nil)
			obj := example(t, model)
			want := roundTrip(t, obj, goType)
			if err := s.CheckTypes(obj); err != nil {
				t.Errorf("CheckTypes: %v", err)
			}
			if unknown := s.Prune(obj); len(unknown) > 0 {
				t.Errorf("pruned %v", unknown)
			}
			s.Default(obj)
			diff(t, obj, want)
		})
	}
}

func diff(t *testing.T, got, want resource.Object) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	la, lb := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			t.Fatalf("got %s\nwant %s\nafter %s", la[i], lb[i], strings.Join(la[max(0, i-8):i], "\n"))
		}
	}
	t.Fatalf("lengths differ: %d and %d lines", len(la), len(lb))
}

// TestMutationsAreRoundTrips damages an example at random places and compares with what the Go type makes of it.
func TestMutationsAreRoundTrips(t *testing.T) {
	c := compiler()
	for _, model := range []string{"core.v1.Pod", "apps.v1.Deployment", "core.v1.Service", "batch.v1.CronJob", "core.v1.Node"} {
		goType := goTypes[model]
		s := c.Schema("io.k8s.api."+model, goType, nil)
		base := example(t, model)
		for seed := range uint64(mutations) {
			obj := resource.DeepCopy(base)
			damage(obj, seed)
			data, err := json.Marshal(obj)
			if err != nil {
				t.Fatal(err)
			}
			want := kjson.Unmarshal(data, reflect.New(reflect.TypeOf(goType).Elem()).Interface())
			got := s.CheckTypes(obj)
			if (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
				t.Fatalf("%s, seed %d: CheckTypes says %v, the decoder %v", model, seed, got, want)
			}
			if want != nil {
				continue
			}
			expected := roundTrip(t, obj, goType)
			s.Prune(obj)
			s.Default(obj)
			dropDeclared(obj)
			dropDeclared(expected)
			diff(t, obj, expected)
		}
	}
}

// dropDeclared removes the one default of these kinds that Kubernetes declares in the types, which a round trip does not
// apply.
func dropDeclared(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["protocol"] == "TCP" {
			delete(v, "protocol")
		}
		for _, e := range v {
			dropDeclared(e)
		}
	case []any:
		for _, e := range v {
			dropDeclared(e)
		}
	}
}

func TestUnknownFieldsAreNamed(t *testing.T) {
	s := compiler().Schema("io.k8s.api.apps.v1.Deployment", &appsv1.Deployment{}, nil)
	obj, err := resource.Decode([]byte(`{"apiVersion":"apps/v1","kind":"Deployment","foo":1,"metadata":{"name":"a","bar":{}},
		"spec":{"Replicas":3,"template":{"spec":{"containers":[{"name":"a"},{"name":"b","imagePullpolicy":"x"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"foo", "metadata.bar", "spec.Replicas", "spec.template.spec.containers[1].imagePullpolicy"}
	if got := s.Prune(obj); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTypeErrorsAreTheDecoders(t *testing.T) {
	s := compiler().Schema("io.k8s.api.apps.v1.Deployment", &appsv1.Deployment{}, nil)
	for body, want := range map[string]string{
		`{"spec":{"replicas":"3"}}`:                               "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
		`{"spec":[]}`:                                             "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
		`{"metadata":{"labels":{"a":1}}}`:                         "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
		`{"spec":{"replicas":3000000000}}`:                        "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
		`{"metadata":{"creationTimestamp":"yesterday"}}`:          `parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
		`{"spec":{"template":{"spec":{"overhead":{"cpu":"x"}}}}}`: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
	} {
		obj, err := resource.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CheckTypes(obj); got == nil || got.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", body, got, want)
		}
	}
}

func BenchmarkDeployment(b *testing.B) {
	s := compiler().Schema("io.k8s.api.apps.v1.Deployment", &appsv1.Deployment{}, nil)
	const body = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"app":"web"}},"spec":{"replicas":3,
		"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web",
		"image":"nginx:1.27","ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}}}`
	objs := make([]resource.Object, b.N)
	for i := range objs {
		objs[i], _ = resource.Decode([]byte(body))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_ = s.CheckTypes(objs[i])
		s.Prune(objs[i])
		s.Default(objs[i])
	}
}

func BenchmarkCompilePod(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compiler().Schema("io.k8s.api.core.v1.Pod", &corev1.Pod{}, nil).Default(resource.Object{})
	}
}
