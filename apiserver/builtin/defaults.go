package builtin

import (
	"strings"

	"github.com/keelson-project/keelson/apiserver/builtin/typed"
)

const core = "io.k8s.api.core.v1."

// defaulters are the defaults of Kubernetes' types, by model, wherever the type occurs. Constant defaults that
// Kubernetes declares in its types are in the models already.
func defaulters() map[string]typed.Defaulter {
	return map[string]typed.Defaulter{
		"io.k8s.api.apps.v1.DeploymentSpec":     defaultDeploymentSpec,
		"io.k8s.api.apps.v1.DeploymentStrategy": defaultDeploymentStrategy,

		"io.k8s.api.batch.v1.Job": defaultJob,

		core + "Pod":                defaultPod,
		core + "PodSpec":            defaultPodSpec,
		core + "Container":          defaultContainer,
		core + "EphemeralContainer": defaultContainer,
		core + "Probe":              defaultProbe,
		core + "HTTPGetAction":      defaultHTTPGet,
		core + "GRPCAction":         func(obj map[string]any) { ifAbsent(obj, "service", "") },
		core + "ObjectFieldSelector": func(obj map[string]any) {
			orElse(obj, "apiVersion", "v1")
		},

		core + "Volume":                        defaultVolume,
		core + "SecretVolumeSource":            defaultMode,
		core + "ConfigMapVolumeSource":         defaultMode,
		core + "DownwardAPIVolumeSource":       defaultMode,
		core + "ProjectedVolumeSource":         defaultMode,
		core + "HostPathVolumeSource":          func(obj map[string]any) { ifAbsent(obj, "type", "") },
		core + "ServiceAccountTokenProjection": func(obj map[string]any) { ifAbsent(obj, "expirationSeconds", int64(3600)) },
		core + "AzureDiskVolumeSource":         func(obj map[string]any) { ifAbsent(obj, "readOnly", false) },
		core + "PersistentVolumeClaimSpec":     func(obj map[string]any) { ifAbsent(obj, "volumeMode", "Filesystem") },

		core + "ServiceSpec": defaultServiceSpec,
		core + "ServicePort": defaultServicePort,
	}
}

func defaultPodSpec(obj map[string]any) {
	orElse(obj, "dnsPolicy", "ClusterFirst")
	orElse(obj, "restartPolicy", "Always")
	orElse(obj, "schedulerName", "default-scheduler")
	ifAbsent(obj, "terminationGracePeriodSeconds", int64(30))
	ifAbsent(obj, "securityContext", map[string]any{})
	// serviceAccount is the deprecated name of serviceAccountName; both are kept the same.
	if name := text(obj, "serviceAccountName"); name != "" {
		obj["serviceAccount"] = name
	} else if name := text(obj, "serviceAccount"); name != "" {
		obj["serviceAccountName"] = name
	}
}

// defaultPod fills in what Kubernetes does in pods, but not in templates of pods.
func defaultPod(obj map[string]any) {
	spec := fieldsOf(obj, "spec")
	if spec == nil {
		return
	}
	ifAbsent(spec, "enableServiceLinks", true)
	onNode := truth(spec, "hostNetwork")
	for _, list := range []string{"containers", "initContainers"} {
		for _, c := range items(spec, list) {
			c := asFields(c)
			if resources := fieldsOf(c, "resources"); resources != nil {
				defaultRequests(resources)
			}
			for _, p := range items(c, "ports") {
				// Each container port of a pod on its node's network is the node's port.
				if port := asFields(p); port != nil && onNode {
					orElse(port, "hostPort", port["containerPort"])
				}
			}
		}
	}
}

func defaultContainer(obj map[string]any) {
	orElse(obj, "terminationMessagePath", "/dev/termination-log")
	orElse(obj, "terminationMessagePolicy", "File")
	if text(obj, "imagePullPolicy") == "" {
		policy := "IfNotPresent"
		if imageTag(text(obj, "image")) == "latest" {
			policy = "Always"
		}
		obj["imagePullPolicy"] = policy
	}
}

// imageTag is the tag of an image reference: "latest" where there is none, "" where a digest says which one.
func imageTag(image string) string {
	if image == "" {
		return ""
	}
	if strings.Contains(image, "@") {
		name, _, _ := strings.Cut(image, "@")
		if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
			return name[colon+1:]
		}
		return ""
	}
	if colon := strings.LastIndexByte(image, ':'); colon > strings.LastIndexByte(image, '/') {
		return image[colon+1:]
	}
	return "latest"
}

func defaultProbe(obj map[string]any) {
	orElse(obj, "timeoutSeconds", int64(1))
	orElse(obj, "periodSeconds", int64(10))
	orElse(obj, "successThreshold", int64(1))
	orElse(obj, "failureThreshold", int64(3))
}

func defaultHTTPGet(obj map[string]any) {
	orElse(obj, "path", "/")
	orElse(obj, "scheme", "HTTP")
}

// defaultRequests requests what is limited, for what is not requested.
func defaultRequests(obj map[string]any) {
	limits := fieldsOf(obj, "limits")
	for name, limit := range limits {
		requests := child(obj, "requests")
		if _, ok := requests[name]; !ok {
			requests[name] = limit
		}
	}
}

// defaultVolume: a volume without a source is an empty directory.
func defaultVolume(obj map[string]any) {
	for name, v := range obj {
		if name != "name" && v != nil {
			return
		}
	}
	obj["emptyDir"] = map[string]any{}
}

func defaultMode(obj map[string]any) { ifAbsent(obj, "defaultMode", int64(0o644)) }

func defaultDeploymentSpec(obj map[string]any) {
	ifAbsent(obj, "replicas", int64(1))
	ifAbsent(obj, "revisionHistoryLimit", int64(10))
	ifAbsent(obj, "progressDeadlineSeconds", int64(600))
}

func defaultDeploymentStrategy(obj map[string]any) {
	orElse(obj, "type", "RollingUpdate")
	if text(obj, "type") == "RollingUpdate" {
		update := child(obj, "rollingUpdate")
		ifAbsent(update, "maxUnavailable", "25%")
		ifAbsent(update, "maxSurge", "25%")
	}
}

func defaultServiceSpec(obj map[string]any) {
	orElse(obj, "sessionAffinity", "None")
	switch text(obj, "sessionAffinity") {
	case "None":
		delete(obj, "sessionAffinityConfig")
	case "ClientIP":
		ifAbsent(child(child(obj, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", int64(10800))
	}
	orElse(obj, "type", "ClusterIP")
	kind := text(obj, "type")
	if external := kind == "NodePort" || kind == "LoadBalancer"; external || kind == "ClusterIP" && len(items(obj, "externalIPs")) > 0 {
		orElse(obj, "externalTrafficPolicy", "Cluster")
	}
	if kind != "ExternalName" {
		ifAbsent(obj, "internalTrafficPolicy", "Cluster")
	}
	if kind == "LoadBalancer" {
		ifAbsent(obj, "allocateLoadBalancerNodePorts", true)
	}
}

func defaultServicePort(obj map[string]any) {
	if t := obj["targetPort"]; t == nil || t == int64(0) || t == "" {
		obj["targetPort"] = obj["port"]
	}
}
