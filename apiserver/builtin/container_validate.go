package builtin

import (
	"fmt"
	"strings"

	kresource "k8s.io/apimachinery/pkg/api/resource"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateContainers checks one list of containers. names are those of the pod's containers so far, volumes those that
// can be mounted.
func validateContainers(containers []any, names, volumes map[string]bool, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, v := range containers {
		c, at := asFields(v), at.Index(i)
		name, image := text(c, "name"), text(c, "image")
		if name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		} else {
			errs = append(errs, each(at.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
			if names[name] {
				errs = append(errs, field.Duplicate(at.Child("name"), name))
			}
			names[name] = true
		}
		if image == "" {
			errs = append(errs, field.Required(at.Child("image"), ""))
		} else if strings.TrimSpace(image) != image {
			errs = append(errs, field.Invalid(at.Child("image"), image, "must not have leading or trailing whitespace"))
		}
		errs = append(errs, validateContainerPorts(items(c, "ports"), at.Child("ports"))...)
		errs = append(errs, validateEnv(items(c, "env"), at.Child("env"))...)
		errs = append(errs, validateEnvFrom(items(c, "envFrom"), at.Child("envFrom"))...)
		errs = append(errs, validateMounts(items(c, "volumeMounts"), volumes, at.Child("volumeMounts"))...)
		for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
			if p := fieldsOf(c, probe); p != nil {
				errs = append(errs, validateProbe(p, at.Child(probe))...)
			}
		}
		errs = append(errs, validateResources(fieldsOf(c, "resources"), at.Child("resources"))...)
	}
	return errs
}

func validateContainerPorts(ports []any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	names := map[string]bool{}
	for i, v := range ports {
		p, at := asFields(v), at.Index(i)
		if name := text(p, "name"); name != "" {
			messages := utilvalidation.IsValidPortName(name)
			errs = append(errs, each(at.Child("name"), name, messages)...)
			if len(messages) == 0 && names[name] {
				errs = append(errs, field.Duplicate(at.Child("name"), name))
			}
			names[name] = true
		}
		if n := number(p, "containerPort"); n == 0 {
			errs = append(errs, field.Required(at.Child("containerPort"), ""))
		} else {
			errs = append(errs, each(at.Child("containerPort"), n, utilvalidation.IsValidPortNum(int(n)))...)
		}
		if n := number(p, "hostPort"); n != 0 {
			errs = append(errs, each(at.Child("hostPort"), n, utilvalidation.IsValidPortNum(int(n)))...)
		}
	}
	return errs
}

func validateEnv(env []any, at *field.Path) field.ErrorList {
	const sources = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
	var errs field.ErrorList
	for i, v := range env {
		e, at := asFields(v), at.Index(i)
		if name := text(e, "name"); name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		} else {
			errs = append(errs, each(at.Child("name"), name, utilvalidation.IsRelaxedEnvVarName(name))...)
		}
		from := fieldsOf(e, "valueFrom")
		switch {
		case e["valueFrom"] == nil:
		case text(e, "value") != "":
			errs = append(errs, field.Invalid(at.Child("valueFrom"), "", "may not be specified when `value` is not empty"))
		case len(from) == 0:
			errs = append(errs, field.Invalid(at.Child("valueFrom"), "", sources))
		case len(from) > 1:
			errs = append(errs, field.Invalid(at.Child("valueFrom"), "", "may not have more than one field specified at a time"))
		default:
			errs = append(errs, validateKeyRefs(from, at.Child("valueFrom"))...)
		}
	}
	return errs
}

// validateKeyRefs checks references to a key of a ConfigMap or Secret.
func validateKeyRefs(from map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range []string{"configMapKeyRef", "secretKeyRef"} {
		ref := fieldsOf(from, name)
		if ref == nil {
			continue
		}
		if text(ref, "name") == "" {
			errs = append(errs, field.Required(at.Child(name, "name"), ""))
		}
		if key := text(ref, "key"); key == "" {
			errs = append(errs, field.Required(at.Child(name, "key"), ""))
		} else {
			errs = append(errs, each(at.Child(name, "key"), key, utilvalidation.IsConfigMapKey(key))...)
		}
	}
	return errs
}

func validateEnvFrom(sources []any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, v := range sources {
		s, at := asFields(v), at.Index(i)
		if prefix := text(s, "prefix"); prefix != "" {
			errs = append(errs, each(at.Child("prefix"), prefix, utilvalidation.IsRelaxedEnvVarName(prefix))...)
		}
		set := 0
		for _, name := range []string{"configMapRef", "secretRef"} {
			ref := fieldsOf(s, name)
			if ref == nil {
				continue
			}
			set++
			if text(ref, "name") == "" {
				errs = append(errs, field.Required(at.Child(name, "name"), ""))
			}
		}
		switch set {
		case 0:
			errs = append(errs, field.Invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"))
		case 2:
			errs = append(errs, field.Invalid(at, "", "may not have more than one field specified at a time"))
		}
	}
	return errs
}

func validateMounts(mounts []any, volumes map[string]bool, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	paths := map[string]bool{}
	for i, v := range mounts {
		m, at := asFields(v), at.Index(i)
		switch name := text(m, "name"); {
		case name == "":
			errs = append(errs, field.Required(at.Child("name"), ""))
		case !volumes[name]:
			errs = append(errs, field.NotFound(at.Child("name"), name))
		}
		path := text(m, "mountPath")
		if path == "" {
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		}
		if paths[path] {
			errs = append(errs, field.Invalid(at.Child("mountPath"), path, "must be unique"))
		}
		paths[path] = true
	}
	return errs
}

// probeHandlers are the ways of a probe, of which it has one.
var probeHandlers = []string{"exec", "httpGet", "tcpSocket", "grpc"}

func validateProbe(probe map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	set := 0
	for _, name := range probeHandlers {
		h := fieldsOf(probe, name)
		if h == nil {
			continue
		}
		if set++; set > 1 {
			errs = append(errs, field.Forbidden(at.Child(name), "may not specify more than 1 handler type"))
			continue
		}
		switch name {
		case "exec":
			if len(items(h, "command")) == 0 {
				errs = append(errs, field.Required(at.Child(name, "command"), ""))
			}
		case "httpGet", "tcpSocket":
			errs = append(errs, portNumOrName(h["port"], at.Child(name, "port"))...)
		case "grpc":
			errs = append(errs, each(at.Child(name, "port"), number(h, "port"), utilvalidation.IsValidPortNum(int(number(h, "port"))))...)
		}
	}
	if set == 0 {
		errs = append(errs, field.Required(at, "must specify a handler type"))
	}
	for _, name := range []string{"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"} {
		errs = append(errs, notNegative(probe, name, at)...)
	}
	if n := number(probe, "successThreshold"); n > 1 && !strings.HasSuffix(at.String(), "readinessProbe") {
		errs = append(errs, field.Invalid(at.Child("successThreshold"), n, "must be 1"))
	}
	return errs
}

// validateResources checks that no request is above its limit, and that none is negative.
func validateResources(resources map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	limits, requests := fieldsOf(resources, "limits"), fieldsOf(resources, "requests")
	for _, name := range sortedKeys(limits) {
		errs = append(errs, validateAmount(name, limits[name], at.Child("limits").Key(name))...)
	}
	for _, name := range sortedKeys(requests) {
		at := at.Child("requests").Key(name)
		errs = append(errs, validateAmount(name, requests[name], at)...)
		limit, ok := limits[name].(string)
		if !ok {
			continue
		}
		l, err1 := kresource.ParseQuantity(limit)
		r, err2 := kresource.ParseQuantity(text(requests, name))
		if err1 == nil && err2 == nil && r.Cmp(l) > 0 {
			errs = append(errs, field.Invalid(at, r.String(), fmt.Sprintf("must be less than or equal to %s limit of %s", name, l.String())))
		}
	}
	return errs
}

func validateAmount(name string, v any, at *field.Path) field.ErrorList {
	errs := each(at, name, utilvalidation.IsQualifiedName(name))
	s, _ := v.(string)
	if q, err := kresource.ParseQuantity(s); err == nil && q.Sign() < 0 {
		errs = append(errs, field.Invalid(at, q.String(), "must be greater than or equal to 0"))
	}
	return errs
}

// validateVolumes returns the names that can be mounted.
func validateVolumes(volumes []any, at *field.Path) (map[string]bool, field.ErrorList) {
	var errs field.ErrorList
	names := map[string]bool{}
	for i, v := range volumes {
		volume, at := asFields(v), at.Index(i)
		name := text(volume, "name")
		sources := 0
		for _, source := range sortedKeys(volume) {
			if source == "name" {
				continue
			}
			if sources++; sources > 1 {
				errs = append(errs, field.Forbidden(at.Child(source), "may not specify more than 1 volume type"))
			}
		}
		if sources == 0 {
			errs = append(errs, field.Required(at, "must specify a volume type"))
		}
		switch {
		case name == "":
			errs = append(errs, field.Required(at.Child("name"), ""))
		case names[name]:
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		default:
			errs = append(errs, each(at.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
		}
		names[name] = true
		if s := fieldsOf(volume, "secret"); s != nil && text(s, "secretName") == "" {
			errs = append(errs, field.Required(at.Child("secret", "secretName"), ""))
		}
		if c := fieldsOf(volume, "configMap"); c != nil && text(c, "name") == "" {
			errs = append(errs, field.Required(at.Child("configMap", "name"), ""))
		}
		if p := fieldsOf(volume, "persistentVolumeClaim"); p != nil && text(p, "claimName") == "" {
			errs = append(errs, field.Required(at.Child("persistentVolumeClaim", "claimName"), ""))
		}
		if h := fieldsOf(volume, "hostPath"); h != nil && text(h, "path") == "" {
			errs = append(errs, field.Required(at.Child("hostPath", "path"), ""))
		}
	}
	return names, errs
}
