package apiserver

import (
	"context"
	"net/netip"

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
