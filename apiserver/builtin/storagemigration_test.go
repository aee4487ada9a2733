package builtin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
)

const dnsSubdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

func migration(name, rest string) string {
	return fmt.Sprintf("{apiVersion: storagemigration.k8s.io/v1, kind: StorageVersionMigration, metadata: {name: %s}, %s}", name, rest)
}

// The expectations are what kube-apiserver 1.37.2 answered to the same requests.
func TestStorageVersionMigrationIsChecked(t *testing.T) {
	w := newWorld(t, builtin.Options{})
	refused := func(what string, err error, want ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: was accepted", what)
			return
		}
		slices.Sort(want)
		if got := causes(err); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	_, err := w.create(migration("A_b", "spec: {resource: {group: A_b, resource: ''}}"))
	refused("bad names", err, `metadata.name: Invalid value: "A_b": `+dnsSubdomain,
		"spec.resource.resource: Required value: resource is required to be set", `spec.resource.group: Invalid value: "A_b": `+dnsSubdomain)
	_, err = w.create(migration("b", "spec: {resource: {group: x, resource: A.b}}"))
	refused("bad resource", err, `spec.resource.resource: Invalid value: "A.b": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`)

	svm := w.mustCreate(migration("a", "spec: {resource: {group: example.com, resource: websites}}, status: {resourceVersion: '3'}"))
	if at(svm, "apiVersion") != "storagemigration.k8s.io/v1" || at(svm, "status", "resourceVersion") != nil {
		t.Errorf("created: %v", svm)
	}
	other := resource.DeepCopy(svm)
	other["spec"] = map[string]any{"resource": map[string]any{"group": "example.com", "resource": "other"}}
	_, err = w.update(other, "")
	refused("spec", err, `spec: Invalid value: {"Resource":{"group":"example.com","resource":"other"}}: field is immutable`)
	unconditional := resource.DeepCopy(svm)
	delete(unconditional["metadata"].(map[string]any), "resourceVersion")
	_, err = w.update(unconditional, "")
	refused("no revision", err, "metadata.resourceVersion: Invalid value: 0: must be specified for an update")

	status := func(text string) (resource.Object, error) {
		obj := resource.DeepCopy(svm)
		obj["status"] = parse(t, text)
		obj["metadata"].(map[string]any)["labels"] = map[string]any{"ignored": "here"}
		return w.update(obj, "status")
	}
	_, err = status("{resourceVersion: x1}")
	refused("no number", err, `status.resourceVersion: Invalid value: "x1": resource version is not well formed: x1`)
	_, err = status("{resourceVersion: '12', conditions: [{type: Running, status: Maybe, reason: '', message: ''}, {type: Running, status: 'True', reason: b c}]}")
	refused("conditions", err, `status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"`,
		"status.conditions[0].lastTransitionTime: Required value", "status.conditions[0].reason: Required value",
		`status.conditions[1]: Duplicate value: "Running"`, "status.conditions[1].lastTransitionTime: Required value",
		`status.conditions[1].reason: Invalid value: "b c": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')`)

	succeeded := "{type: Succeeded, status: 'True', reason: R, message: '', lastTransitionTime: '2020-01-01T00:00:00Z'}"
	failed := strings.Replace(succeeded, "Succeeded", "Failed", 1)
	if svm, err = status("{resourceVersion: '12', conditions: [" + succeeded + "]}"); err != nil {
		t.Fatal(err)
	}
	if at(svm, "status", "resourceVersion") != "12" || at(svm, "metadata", "labels") != nil {
		t.Errorf("status written: %v", svm)
	}
	one := `{"type":"%s","status":"True","lastTransitionTime":"2020-01-01T00:00:00Z","reason":"R","message":""}`
	_, err = status("{resourceVersion: '13', conditions: [" + failed + "]}")
	refused("no longer succeeded", err, `status.resourceVersion: Invalid value: "13": field is immutable`,
		"status.conditions: Invalid value: ["+fmt.Sprintf(one, "Failed")+"]: Success condition cannot be set to false once it is true")
	_, err = status("{resourceVersion: '12', conditions: [" + failed + "," + succeeded + "]}")
	refused("both", err, "status.conditions: Invalid value: ["+fmt.Sprintf(one, "Failed")+","+fmt.Sprintf(one, "Succeeded")+"]: Both success and failed conditions cannot be true at the same time")
}
