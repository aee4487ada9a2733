package models_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
)

func Example() {
	pod := models.Embedded().Schema("io.k8s.api.core.v1.Pod")
	fmt.Println(pod.Description)
	// Output: Pod is a collection of containers that can run on a host. This resource is created by clients and scheduled onto hosts.
}

// TestReferencesAreComplete follows every reference from every kind.
func TestReferencesAreComplete(t *testing.T) {
	set, seen := models.Embedded(), map[string]bool{}
	var visit func(name, from string)
	visit = func(name, from string) {
		if seen[name] {
			return
		}
		seen[name] = true
		s := set.Schema(name)
		if s == nil {
			t.Errorf("%s refers to %s, which is missing", from, name)
			return
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range strings.Split(string(data), `"$ref":"`+models.RefPrefix)[1:] {
			to, _, _ := strings.Cut(ref, `"`)
			visit(to, name)
		}
	}
	for _, root := range []string{
		models.ObjectMeta, models.ListMeta, models.Status, models.DeleteOptions, models.Patch, models.APIResourceList, models.Scale,
		"io.k8s.api.core.v1.PodList", "io.k8s.api.apps.v1.DeploymentList", "io.k8s.api.batch.v1.CronJob", "io.k8s.api.resource.v1.ResourceClaim",
		"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
	} {
		visit(root, "the test")
	}
	if set.Schema("io.k8s.api.core.v1.Pot") != nil || set.Schema("pot") != nil {
		t.Error("found a model that does not exist")
	}
}
