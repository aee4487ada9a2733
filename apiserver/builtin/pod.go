package builtin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

func (k kinds) pod() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{
			Plural: "pods", Singular: "pod", Kind: "Pod", ListKind: "PodList",
			ShortNames: []string{"po"}, Categories: []string{"all"},
		},
		Namespaced: true, Storage: "v1", Prefix: "/registry/pods/", AnswersDeleted: true, Graceful: true,
		SelectableFields: podFields(),
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.Pod{},
			Schema:       k.compiler.Schema("io.k8s.api.core.v1.Pod", &corev1.Pod{}, nil),
			Columns:      podColumns(),
			Reset:        statusOnly(),
			Subresources: map[string]*resource.Subresource{"status": status([]string{"metadata", "deletionTimestamp"}, []string{"metadata", "ownerReferences"})},
		}},
		Hooks: resource.Hooks{
			PrepareCreate: func(_ context.Context, obj resource.Object) {
				obj["status"] = map[string]any{"phase": "Pending", "qosClass": qosClass(obj)}
			},
			Validate:    validatePod,
			SpecChanged: func(obj, old resource.Object) bool { return !resource.Equal(obj["spec"], old["spec"]) },
		},
	}
}

func podFields() []resource.SelectableField {
	return []resource.SelectableField{
		{Name: "spec.nodeName", Path: []string{"spec", "nodeName"}},
		{Name: "spec.restartPolicy", Path: []string{"spec", "restartPolicy"}},
		{Name: "spec.schedulerName", Path: []string{"spec", "schedulerName"}},
		{Name: "spec.serviceAccountName", Path: []string{"spec", "serviceAccountName"}},
		{Name: "spec.hostNetwork", Path: []string{"spec", "hostNetwork"}, Default: "false"},
		{Name: "status.phase", Path: []string{"status", "phase"}},
		{Name: "status.podIP", Path: []string{"status", "podIP"}},
		{Name: "status.nominatedNodeName", Path: []string{"status", "nominatedNodeName"}},
	}
}

// ratio is "1/3".
func ratio(some, all int64) string { return fmt.Sprintf("%d/%d", some, all) }

// qosClass of a pod: Guaranteed if every container limits cpu and memory and requests as much, BestEffort if none says
// anything about them, Burstable otherwise.
func qosClass(pod resource.Object) string {
	guaranteed, any := true, false
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range items(pod, "spec", list) {
			requests, limits := fieldsOf(asFields(c), "resources", "requests"), fieldsOf(asFields(c), "resources", "limits")
			for _, name := range []string{"cpu", "memory"} {
				request, limit := positive(requests[name]), positive(limits[name])
				any = any || request != "" || limit != ""
				guaranteed = guaranteed && limit != "" && request == limit
			}
		}
	}
	switch {
	case !any:
		return string(corev1.PodQOSBestEffort)
	case guaranteed:
		return string(corev1.PodQOSGuaranteed)
	}
	return string(corev1.PodQOSBurstable)
}

// positive is a quantity in canonical form, or "" where it is zero or absent.
func positive(v any) string {
	if s, _ := v.(string); s != "0" {
		return s
	}
	return ""
}
