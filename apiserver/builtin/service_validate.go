package builtin

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// validateService also reserves the address that a new Service asks for: that can fail, and a hook that prepares an
// object cannot.
func (k kinds) validateService(ctx context.Context, obj, old resource.Object) field.ErrorList {
	spec, at := fieldsOf(obj, "spec"), field.NewPath("spec")
	var errs field.ErrorList
	kind := text(spec, "type")
	ports := items(spec, "ports")
	if len(ports) == 0 && firstAddress(obj) != headless && kind != "ExternalName" {
		errs = append(errs, field.Required(at.Child("ports"), ""))
	}
	switch kind {
	case "LoadBalancer":
		if firstAddress(obj) == headless {
			errs = append(errs, field.Invalid(at.Child("clusterIPs").Index(0), headless, "may not be set to 'None' for LoadBalancer services"))
		}
	case "NodePort":
		if firstAddress(obj) == headless {
			errs = append(errs, field.Invalid(at.Child("clusterIPs").Index(0), headless, "may not be set to 'None' for NodePort services"))
		}
	case "ExternalName":
		errs = append(errs, validateExternalName(spec, at)...)
	}
	errs = append(errs, validateServicePorts(ports, at.Child("ports"))...)
	if selector := fieldsOf(spec, "selector"); selector != nil {
		errs = append(errs, validateLabels(selector, at.Child("selector"))...)
	}
	for i, v := range items(spec, "externalIPs") {
		ip, _ := v.(string)
		errs = append(errs, utilvalidation.IsValidIP(at.Child("externalIPs").Index(i), ip)...)
	}
	if n, ok := value(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds").(int64); ok && (n <= 0 || n > 86400) {
		errs = append(errs, field.Invalid(at.Child("sessionAffinityConfig", "clientIP", "timeoutSeconds"), n,
			"must be greater than 0 and less than 86400"))
	}
	return append(errs, k.validateAddress(ctx, obj, old)...)
}

func validateExternalName(spec map[string]any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if ip := text(spec, "clusterIP"); ip != "" {
		errs = append(errs, field.Forbidden(at.Child("clusterIPs"), "may not be set for ExternalName services"))
	}
	name := strings.TrimSuffix(text(spec, "externalName"), ".")
	if name == "" {
		return append(errs, field.Required(at.Child("externalName"), ""))
	}
	return append(errs, each(at.Child("externalName"), name, utilvalidation.IsDNS1123Subdomain(name))...)
}

func validateServicePorts(ports []any, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	names, numbers, nodePorts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, p := range ports {
		port, at := asFields(p), at.Index(i)
		name, protocol := text(port, "name"), text(port, "protocol")
		switch {
		case name == "" && len(ports) > 1:
			errs = append(errs, field.Required(at.Child("name"), ""))
		case name != "":
			errs = append(errs, each(at.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
			if names[name] {
				errs = append(errs, field.Duplicate(at.Child("name"), name))
			}
			names[name] = true
		}
		n := number(port, "port")
		errs = append(errs, each(at.Child("port"), n, utilvalidation.IsValidPortNum(int(n)))...)
		errs = append(errs, portNumOrName(port["targetPort"], at.Child("targetPort"))...)
		if app := text(port, "appProtocol"); app != "" {
			errs = append(errs, each(at.Child("appProtocol"), app, utilvalidation.IsQualifiedName(app))...)
		}
		key := fmt.Sprintf("%s/%d", protocol, n)
		if numbers[key] {
			errs = append(errs, field.Duplicate(at, duplicatePort{Protocol: protocol, Port: n}))
		}
		numbers[key] = true
		if node := number(port, "nodePort"); node != 0 {
			errs = append(errs, each(at.Child("nodePort"), node, utilvalidation.IsValidPortNum(int(node)))...)
			key := fmt.Sprintf("%s/%d", protocol, node)
			if nodePorts[key] {
				errs = append(errs, field.Duplicate(at.Child("nodePort"), node))
			}
			nodePorts[key] = true
		}
	}
	return errs
}

// duplicatePort prints as Kubernetes' internal type does in this one error.
type duplicatePort struct {
	Name        string
	Protocol    string
	AppProtocol *string
	Port        int64
	TargetPort  int64
	NodePort    int64
}

// validateAddress checks the cluster address: reserved for a new Service, unchanged in an old one.
func (k kinds) validateAddress(ctx context.Context, obj, old resource.Object) field.ErrorList {
	if !wantsAddress(obj) {
		return nil
	}
	at, ip := field.NewPath("spec", "clusterIPs"), firstAddress(obj)
	ips := []string{ip}
	if ip == "" {
		_, err := k.ips.Reserve(ctx, serviceOwner(obj), netip.Addr{})
		if err == nil {
			err = fmt.Errorf("try again")
		}
		return field.ErrorList{field.InternalError(at, fmt.Errorf("failed to allocate a serviceIP: %w", err))}
	}
	if ips := items(obj, "spec", "clusterIPs"); len(ips) > 0 && ips[0] != ip {
		return field.ErrorList{field.Invalid(at, ips, "first value must match `clusterIP`")}
	}
	if old != nil && wantsAddress(old) && firstAddress(old) != "" {
		if ip != firstAddress(old) {
			return field.ErrorList{field.Invalid(at.Index(0), ips, "may not change once set")}
		}
		return nil
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return field.ErrorList{field.Invalid(at.Index(0), ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")}
	}
	if _, err := k.ips.Reserve(ctx, serviceOwner(obj), addr); err != nil {
		return field.ErrorList{field.Invalid(at, ips, fmt.Sprintf("failed to allocate IP %s: %v", ip, err))}
	}
	return nil
}
