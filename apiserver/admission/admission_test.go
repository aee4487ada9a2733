package admission_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/admission"
)

// cluster says of each namespace whether it is being deleted.
type cluster map[string]bool

func (c cluster) GetNamespace(_ context.Context, name string) (exists, terminating bool, err error) {
	if name == "broken" {
		return false, false, errors.New("the disk is on fire")
	}
	terminating, exists = c[name]
	return exists, terminating, nil
}

func podIn(namespace string, op admission.Operation) *admission.Attributes {
	return &admission.Attributes{
		Operation: op, Kind: schema.GroupVersionKind{Version: "v1", Kind: "Pod"},
		Resource:  schema.GroupVersionResource{Version: "v1", Resource: "pods"},
		Namespace: namespace, Object: map[string]any{"metadata": map[string]any{"generateName": "web-"}},
	}
}

func namespace(name string, op admission.Operation) *admission.Attributes {
	return &admission.Attributes{
		Operation: op, Kind: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"},
		Resource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, Namespace: name, Name: name,
	}
}

func TestNamespaceLifecycle(t *testing.T) {
	l := admission.Chain{admission.NewNamespaceLifecycle(cluster{"live": false, "dying": true})}
	review := podIn("nowhere", admission.Create)
	review.Resource = schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "localsubjectaccessreviews"}
	for _, tc := range []struct {
		about string
		a     *admission.Attributes
		code  int32 // zero: admitted
		want  string
	}{
		{"create", podIn("live", admission.Create), 0, ""},
		{"create in a missing namespace", podIn("nowhere", admission.Create), 404, `namespaces "nowhere" not found`},
		{"create in a dying namespace", podIn("dying", admission.Create), 403, `pods "web-" is forbidden: unable to create new content in namespace dying because it is being terminated`},
		{"update in a dying namespace", podIn("dying", admission.Update), 0, ""},
		{"delete in a dying namespace", podIn("dying", admission.Delete), 0, ""},
		{"connect in a dying namespace", podIn("dying", admission.Connect), 0, ""},
		{"connect in a missing namespace", podIn("nowhere", admission.Connect), 404, `namespaces "nowhere" not found`},
		{"access review", review, 0, ""},
		{"cluster-scoped", podIn("", admission.Create), 0, ""},
		{"store fails", podIn("broken", admission.Create), 500, "Internal error occurred: the disk is on fire"},
		{"delete a namespace", namespace("live", admission.Delete), 0, ""},
		{"create a namespace", namespace("new", admission.Create), 0, ""},
		{"delete default", namespace("default", admission.Delete), 403, `namespaces "default" is forbidden: this namespace may not be deleted`},
		{"delete kube-system", namespace("kube-system", admission.Delete), 403, `namespaces "kube-system" is forbidden: this namespace may not be deleted`},
		{"delete kube-public", namespace("kube-public", admission.Delete), 403, `namespaces "kube-public" is forbidden: this namespace may not be deleted`},
		{"delete kube-node-lease", namespace("kube-node-lease", admission.Delete), 0, ""},
	} {
		err := l.Admit(t.Context(), tc.a)
		if err == nil {
			err = l.Validate(t.Context(), tc.a)
		}
		var status apierrors.APIStatus
		switch {
		case tc.code == 0 && err != nil:
			t.Errorf("%s: refused: %v", tc.about, err)
		case tc.code == 0:
		case !errors.As(err, &status) || status.Status().Code != tc.code || err.Error() != tc.want:
			t.Errorf("%s: got %v, want %d %s", tc.about, err, tc.code, tc.want)
		}
	}
}

func TestTerminatingCause(t *testing.T) {
	l := admission.NewNamespaceLifecycle(cluster{"dying": true})
	var status apierrors.APIStatus
	if err := l.Admit(t.Context(), podIn("dying", admission.Create)); !errors.As(err, &status) {
		t.Fatalf("no status: %v", err)
	}
	got := fmt.Sprintf("%+v", status.Status().Details.Causes)
	if want := "[{Type:NamespaceTerminating Message:namespace dying is being terminated Field:metadata.namespace}]"; got != want {
		t.Errorf("causes are %s, want %s", got, want)
	}
}

type step struct {
	name   string
	refuse bool
	log    *strings.Builder
}

func (s step) Admit(context.Context, *admission.Attributes) error {
	s.log.WriteString("admit " + s.name + "\n")
	if s.refuse {
		return errors.New(s.name + " refuses")
	}
	return nil
}

func (s step) Validate(context.Context, *admission.Attributes) error {
	s.log.WriteString("validate " + s.name + "\n")
	return nil
}

func ExampleChain() {
	var log strings.Builder
	chain := admission.Chain{step{name: "first", log: &log}, step{name: "second", refuse: true, log: &log}, step{name: "third", log: &log}}
	err := chain.Admit(context.Background(), &admission.Attributes{})
	fmt.Print(log.String())
	fmt.Println(err)
	// Output:
	// admit first
	// admit second
	// second refuses
}
