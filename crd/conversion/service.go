package conversion

import (
	"errors"
	"net"
	"net/http"
	"strconv"
)

// serviceTransport sends each request to where the Service leads at that moment: a connection that is open is used again
// only where it leads there.
type serviceTransport struct {
	*http.Transport // by which CloseIdleConnections is found, too

	resolver Resolver
	service  Service // with its port
}

// throughService makes of t the transport to a Service, whose certificate has to be for NAME.NAMESPACE.svc.
func throughService(t *http.Transport, r Resolver, s *Service) *serviceTransport {
	st := &serviceTransport{Transport: t, resolver: r, service: *s}
	if s.Port == 0 {
		st.service.Port = 443
	}
	t.Proxy = nil
	t.TLSClientConfig.ServerName = st.name()
	return st
}

func (t *serviceTransport) name() string { return t.service.Name + "." + t.service.Namespace + ".svc" }

// host is the HOST:PORT that requests name.
func (t *serviceTransport) host() string {
	return net.JoinHostPort(t.name(), strconv.Itoa(int(t.service.Port)))
}

// RoundTrip implements http.RoundTripper.
func (t *serviceTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.host() { // where a redirection leads
		return t.Transport.RoundTrip(req)
	}
	address, err := "", errors.New("services cannot be resolved here")
	if t.resolver != nil {
		address, err = t.resolver.ResolveService(req.Context(), t.service.Namespace, t.service.Name, t.service.Port)
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	sent := req.Clone(req.Context())
	if sent.Host == "" {
		sent.Host = req.URL.Host
	}
	sent.URL.Host = address
	return t.Transport.RoundTrip(sent)
}
