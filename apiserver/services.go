package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// storedServiceIPs reads the cluster addresses that stored Services hold, by "NAMESPACE/NAME".
func (s *Server) storedServiceIPs(ctx context.Context) (map[string]netip.Addr, error) {
	d := s.catalog.Lookup("", "services")
	list, err := s.registry.List(ctx, registry.Target{Def: d, Version: d.Version(d.Storage)}, registry.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make(map[string]netip.Addr, list.Len())
	for e := range list.Entries() {
		// "None" and "" are no addresses: headless and external services.
		if a, err := netip.ParseAddr(jsonscan.String(jsonscan.Get(e.Data, "spec", "clusterIP"))); err == nil {
			out[e.Projection.Namespace+"/"+e.Projection.Name] = a
		}
	}
	return out, nil
}

// services finds what is behind a Service, by the Service alone, as kube-apiserver does by default.
type services struct{ s *Server }

// ResolveService implements conversion.Resolver.
func (r services) ResolveService(ctx context.Context, namespace, name string, port int32) (string, error) {
	e, err := r.s.registry.Entry(ctx, r.s.catalog.Lookup("", "services"), namespace, name)
	if err != nil {
		return "", err
	}
	if e == nil {
		return "", fmt.Errorf("service %q not found", name)
	}
	var service corev1.Service
	if err := json.Unmarshal(e.Data, &service); err != nil {
		return "", fmt.Errorf("reading service %q: %w", name, err)
	}
	spec, text := &service.Spec, strconv.Itoa(int(port))
	switch spec.Type {
	case corev1.ServiceTypeExternalName:
		return net.JoinHostPort(spec.ExternalName, text), nil
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer:
	default:
		return "", fmt.Errorf("unsupported service type %q", spec.Type)
	}
	if spec.ClusterIP == corev1.ClusterIPNone {
		return "", errors.New(`cannot route to service with ClusterIP "None"`)
	}
	if !slices.ContainsFunc(spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port }) {
		return "", fmt.Errorf("no service port %d found for service %q", port, name)
	}
	return net.JoinHostPort(spec.ClusterIP, text), nil
}
