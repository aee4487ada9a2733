package builtin

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/keelson-project/keelson/apiserver/resource"
)

func podColumns() []resource.Column {
	spec, status := corev1.PodSpec{}.SwaggerDoc(), corev1.PodStatus{}.SwaggerDoc()
	return []resource.Column{
		column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic.", func(obj resource.Object) any {
			return readyText(obj)
		}),
		column("Status", "string", "The aggregate status of the containers in this pod.", func(obj resource.Object) any {
			return podReason(obj)
		}),
		column("Restarts", "string", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
			func(obj resource.Object) any { return restartsText(obj) }),
		ageColumn(),
		wide(column("IP", "string", status["podIP"], func(obj resource.Object) any { return orNone(podIP(obj)) })),
		wide(column("Node", "string", spec["nodeName"], func(obj resource.Object) any { return orNone(text(obj, "spec", "nodeName")) })),
		wide(column("Nominated Node", "string", status["nominatedNodeName"], func(obj resource.Object) any {
			return orNone(text(obj, "status", "nominatedNodeName"))
		})),
		wide(column("Readiness Gates", "string", spec["readinessGates"], func(obj resource.Object) any { return gatesText(obj) })),
	}
}

func podIP(pod resource.Object) string {
	if ips := items(pod, "status", "podIPs"); len(ips) > 0 {
		return text(asFields(ips[0]), "ip")
	}
	return text(pod, "status", "podIP")
}

// sidecar says whether the init container of that name keeps running beside the others.
func sidecar(pod resource.Object, name string) bool {
	for _, c := range items(pod, "spec", "initContainers") {
		if c := asFields(c); text(c, "name") == name {
			return text(c, "restartPolicy") == "Always"
		}
	}
	return false
}

// readyText counts the containers that are ready, of those that stay.
func readyText(pod resource.Object) string {
	all := int64(len(items(pod, "spec", "containers")))
	for _, c := range items(pod, "spec", "initContainers") {
		if text(asFields(c), "restartPolicy") == "Always" {
			all++
		}
	}
	ready := int64(0)
	for _, s := range items(pod, "status", "initContainerStatuses") {
		if s := asFields(s); truth(s, "started") && truth(s, "ready") && sidecar(pod, text(s, "name")) {
			ready++
		}
	}
	for _, s := range items(pod, "status", "containerStatuses") {
		if s := asFields(s); truth(s, "ready") && fieldsOf(s, "state", "running") != nil {
			ready++
		}
	}
	return ratio(ready, all)
}

// restartsText is "3" or "3 (5m ago)".
func restartsText(pod resource.Object) string {
	restarts, last := int64(0), time.Time{}
	count := func(s map[string]any) {
		restarts += number(s, "restartCount")
		if at, err := time.Parse(time.RFC3339, text(s, "lastState", "terminated", "finishedAt")); err == nil && at.After(last) {
			last = at
		}
	}
	initializing := podInitializing(pod)
	for _, s := range items(pod, "status", "initContainerStatuses") {
		if s := asFields(s); initializing || sidecar(pod, text(s, "name")) {
			count(s)
		}
	}
	if !initializing {
		for _, s := range items(pod, "status", "containerStatuses") {
			count(asFields(s))
		}
	}
	if restarts > 0 && !last.IsZero() {
		return fmt.Sprintf("%d (%s ago)", restarts, duration.HumanDuration(time.Since(last)))
	}
	return fmt.Sprint(restarts)
}

func podInitializing(pod resource.Object) bool {
	_, initializing := initReason(pod)
	return initializing
}

// podReason is the one word (or two) by which kubectl tells how a pod does.
func podReason(pod resource.Object) string {
	reason := text(pod, "status", "phase")
	if r := text(pod, "status", "reason"); r != "" {
		reason = r
	}
	for _, c := range items(pod, "status", "conditions") {
		if c := asFields(c); text(c, "type") == "PodScheduled" && text(c, "reason") == "SchedulingGated" {
			reason = "SchedulingGated"
		}
	}
	if r, initializing := initReason(pod); initializing {
		reason = r
	} else {
		reason = containersReason(pod, reason)
	}
	if text(pod, "metadata", "deletionTimestamp") == "" {
		return reason
	}
	switch phase := text(pod, "status", "phase"); {
	case text(pod, "status", "reason") == "NodeLost":
		return "Unknown"
	case phase != "Failed" && phase != "Succeeded":
		return "Terminating"
	}
	return reason
}

// initReason says how far the init containers are; false where they are through.
func initReason(pod resource.Object) (string, bool) {
	total := len(items(pod, "spec", "initContainers"))
	for i, v := range items(pod, "status", "initContainerStatuses") {
		s := asFields(v)
		terminated, waiting := fieldsOf(s, "state", "terminated"), fieldsOf(s, "state", "waiting")
		switch {
		case terminated != nil && number(terminated, "exitCode") == 0:
			continue
		case sidecar(pod, text(s, "name")) && truth(s, "started"):
			continue
		case terminated != nil:
			return "Init:" + terminatedReason(terminated), true
		case text(waiting, "reason") != "" && text(waiting, "reason") != "PodInitializing":
			return "Init:" + text(waiting, "reason"), true
		}
		return fmt.Sprintf("Init:%d/%d", i, total), true
	}
	return "", false
}

func terminatedReason(terminated map[string]any) string {
	if r := text(terminated, "reason"); r != "" {
		return r
	}
	if signal := number(terminated, "signal"); signal != 0 {
		return fmt.Sprintf("Signal:%d", signal)
	}
	return fmt.Sprintf("ExitCode:%d", number(terminated, "exitCode"))
}

// containersReason is what the first container in trouble says, or reason.
func containersReason(pod resource.Object, reason string) string {
	running := false
	statuses := items(pod, "status", "containerStatuses")
	for i := len(statuses) - 1; i >= 0; i-- {
		s := asFields(statuses[i])
		switch terminated := fieldsOf(s, "state", "terminated"); {
		case text(s, "state", "waiting", "reason") != "":
			reason = text(s, "state", "waiting", "reason")
		case terminated != nil:
			reason = terminatedReason(terminated)
		case truth(s, "ready") && fieldsOf(s, "state", "running") != nil:
			running = true
		}
	}
	if reason == "Completed" && running {
		reason = "NotReady"
		for _, c := range items(pod, "status", "conditions") {
			if c := asFields(c); text(c, "type") == "Ready" && text(c, "status") == "True" {
				reason = "Running"
			}
		}
	}
	return reason
}

// gatesText is how many of the pod's readiness gates are open, of all.
func gatesText(pod resource.Object) string {
	gates := items(pod, "spec", "readinessGates")
	if len(gates) == 0 {
		return "<none>"
	}
	open := int64(0)
	for _, g := range gates {
		for _, c := range items(pod, "status", "conditions") {
			if c := asFields(c); text(c, "type") == text(asFields(g), "conditionType") {
				if text(c, "status") == "True" {
					open++
				}
				break
			}
		}
	}
	return ratio(open, int64(len(gates)))
}
