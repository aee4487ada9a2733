package builtin

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// headless is the clusterIP of a Service that wants none.
const headless = "None"

func (k kinds) service() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{
			Plural: "services", Singular: "service", Kind: "Service", ListKind: "ServiceList",
			ShortNames: []string{"svc"}, Categories: []string{"all"},
		},
		Namespaced: true, Storage: "v1", Prefix: "/registry/services/specs/", CreateOnUpdate: true, AnswersDeleted: true,
		ValidateName: validation.NameIsDNS1035Label,
		SelectableFields: []resource.SelectableField{
			{Name: "spec.clusterIP", Path: []string{"spec", "clusterIP"}},
			{Name: "spec.type", Path: []string{"spec", "type"}},
		},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.Service{},
			Schema:       k.compiler.Schema("io.k8s.api.core.v1.Service", &corev1.Service{}, defaultServiceFamilies),
			Columns:      serviceColumns(),
			Reset:        statusOnly(),
			Subresources: map[string]*resource.Subresource{"status": status()},
		}},
		Hooks: resource.Hooks{
			PrepareCreate: k.prepareService,
			PrepareUpdate: k.prepareServiceUpdate,
			Validate:      k.validateService,
			Stored:        k.serviceStored,
		},
	}
}

// defaultServiceFamilies completes the address fields from the first address: clusterIPs, ipFamilies, ipFamilyPolicy.
func defaultServiceFamilies(obj resource.Object) {
	spec := fieldsOf(obj, "spec")
	if spec == nil || text(spec, "type") == "ExternalName" {
		return
	}
	if ip := text(spec, "clusterIP"); ip != "" && len(items(spec, "clusterIPs")) == 0 {
		spec["clusterIPs"] = []any{ip}
	} else if ips := items(spec, "clusterIPs"); ip == "" && len(ips) > 0 {
		spec["clusterIP"] = ips[0]
	}
	if text(spec, "clusterIP") == "" {
		return // not allocated yet
	}
	bare := text(spec, "clusterIP") == headless && len(fieldsOf(spec, "selector")) == 0
	if len(items(spec, "ipFamilies")) == 0 {
		spec["ipFamilies"] = []any{"IPv4"}
		if addr, err := netip.ParseAddr(text(spec, "clusterIP")); err == nil && addr.Is6() {
			spec["ipFamilies"] = []any{"IPv6"}
		}
		if bare && spec["ipFamilyPolicy"] == nil {
			spec["ipFamilies"] = []any{"IPv4", "IPv6"}
		}
	}
	policy := "SingleStack"
	if bare && len(items(spec, "ipFamilies")) > 1 {
		policy = "RequireDualStack"
	}
	ifAbsent(spec, "ipFamilyPolicy", policy)
}

// wantsAddress says whether a Service is to have a cluster address.
func wantsAddress(obj resource.Object) bool {
	return text(obj, "spec", "type") != "ExternalName" && firstAddress(obj) != headless
}

func firstAddress(obj resource.Object) string {
	if ip := text(obj, "spec", "clusterIP"); ip != "" {
		return ip
	}
	if ips := items(obj, "spec", "clusterIPs"); len(ips) > 0 {
		ip, _ := ips[0].(string)
		return ip
	}
	return ""
}

// serviceOwner is the name under which a Service holds its address. The uid keeps a Service apart from an earlier one
// of its name.
func serviceOwner(obj resource.Object) string {
	return text(obj, "metadata", "namespace") + "/" + text(obj, "metadata", "name") + "/" + text(obj, "metadata", "uid")
}

func (k kinds) prepareService(ctx context.Context, obj resource.Object) {
	obj["status"] = map[string]any{"loadBalancer": map[string]any{}}
	k.allocate(ctx, obj)
}

// allocate gives a Service an address where it wants one and names none. If that fails the field stays empty, and
// validateService, which can answer, says why.
func (k kinds) allocate(ctx context.Context, obj resource.Object) {
	if !wantsAddress(obj) || firstAddress(obj) != "" {
		return
	}
	if addr, err := k.ips.Reserve(ctx, serviceOwner(obj), netip.Addr{}); err == nil {
		child(obj, "spec")["clusterIP"] = addr.String()
	}
}

// prepareServiceUpdate keeps the addresses that a writer left out, and drops what the old type needed and the new one has no
// use for, where the writer left that as it was: a patch of type alone is enough.
func (k kinds) prepareServiceUpdate(ctx context.Context, obj, old resource.Object) {
	spec, was := child(obj, "spec"), fieldsOf(old, "spec")
	dropTypeFields(spec, was)
	if text(spec, "type") == "ExternalName" {
		return
	}
	if text(was, "type") != "ExternalName" {
		if firstAddress(obj) == "" {
			keep(spec, was, "clusterIP")
			keep(spec, was, "clusterIPs")
		}
		for _, name := range []string{"ipFamilies", "ipFamilyPolicy"} {
			if empty(spec[name]) {
				keep(spec, was, name)
			}
		}
	}
	k.allocate(ctx, obj)
}

func dropTypeFields(spec, was map[string]any) {
	drop := func(names ...string) {
		for _, name := range names {
			if same(spec[name], was[name]) {
				delete(spec, name)
			}
		}
	}
	kind, before := text(spec, "type"), text(was, "type")
	outside := func(kind string) bool { return kind == "NodePort" || kind == "LoadBalancer" }
	if kind == "ExternalName" && before != kind && same(spec["clusterIP"], was["clusterIP"]) {
		drop("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
	}
	if outside(before) && !outside(kind) {
		ports, old := items(spec, "ports"), items(was, "ports")
		for i, p := range ports {
			if i < len(old) && same(asFields(p)["nodePort"], asFields(old[i])["nodePort"]) {
				delete(asFields(p), "nodePort")
			}
		}
		if len(items(spec, "externalIPs")) == 0 {
			drop("externalTrafficPolicy")
		}
	}
	if before == "LoadBalancer" && kind != before {
		drop("allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort")
	}
}

func (k kinds) serviceStored(_ context.Context, obj resource.Object, _ int64, deleted bool) error {
	owner := serviceOwner(obj)
	// "None" and no address at all are nothing to hold.
	if addr, err := netip.ParseAddr(text(obj, "spec", "clusterIP")); err == nil && !deleted {
		k.ips.Confirm(owner, addr)
	} else {
		k.ips.Release(owner)
	}
	return nil
}

func serviceColumns() []resource.Column {
	doc := corev1.ServiceSpec{}.SwaggerDoc()
	return []resource.Column{
		atPath("Type", doc["type"], "spec", "type"),
		column("Cluster-IP", "string", doc["clusterIP"], func(obj resource.Object) any {
			return orNone(firstAddress(obj))
		}),
		column("External-IP", "string", doc["externalIPs"], func(obj resource.Object) any { return externalIP(obj) }),
		column("Port(s)", "string", doc["ports"], func(obj resource.Object) any { return portsText(items(obj, "spec", "ports")) }),
		ageColumn(),
		wide(column("Selector", "string", doc["selector"], func(obj resource.Object) any {
			return selectorText(fieldsOf(obj, "spec", "selector"))
		})),
	}
}

// externalIP is where a Service is reached from outside.
func externalIP(obj resource.Object) string {
	var found []string
	for _, ip := range items(obj, "spec", "externalIPs") {
		found = append(found, fmt.Sprint(ip))
	}
	switch text(obj, "spec", "type") {
	case "ExternalName":
		return text(obj, "spec", "externalName")
	case "LoadBalancer":
		var ingress []string
		for _, i := range items(obj, "status", "loadBalancer", "ingress") {
			if ip := text(asFields(i), "ip"); ip != "" {
				ingress = append(ingress, ip)
			} else if host := text(asFields(i), "hostname"); host != "" {
				ingress = append(ingress, host)
			}
		}
		if found = append(ingress, found...); len(found) == 0 {
			return "<pending>"
		}
	}
	return orNone(strings.Join(found, ","))
}

// portsText is "80/TCP,443:30443/TCP".
func portsText(ports []any) string {
	parts := make([]string, 0, len(ports))
	for _, p := range ports {
		port := asFields(p)
		s := fmt.Sprint(number(port, "port"))
		if node := number(port, "nodePort"); node > 0 {
			s += fmt.Sprintf(":%d", node)
		}
		parts = append(parts, s+"/"+text(port, "protocol"))
	}
	return orNone(strings.Join(parts, ","))
}
