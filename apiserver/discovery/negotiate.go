package discovery

import (
	"bytes"
	"encoding/json"
	"net/http"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/internal/accept"
)

// format is what a client gets. This is the place where protobuf joins: a media type here, and an encoding of the
// aggregated document next to its JSON.
type format struct {
	contentType string
	aggregated  string // version of APIGroupDiscoveryList: "v2", "v2beta1"; "" for the legacy documents
	yaml        bool
	pretty      bool
}

// negotiate picks the best format that the request accepts; aggregated says whether the document has that form.
func negotiate(r *http.Request, aggregated bool) (format, error) {
	clauses := accept.Clauses(r)
	if len(clauses) == 0 {
		return format{contentType: accept.JSON, pretty: accept.Pretty(r)}, nil
	}
	for i := range clauses {
		if f, ok := match(&clauses[i], aggregated); ok {
			f.pretty = accept.Pretty(r) || clauses[i].Params["pretty"] == "1"
			return f, nil
		}
	}
	return format{}, accept.None(accept.JSON, accept.YAML, accept.Protobuf)
}

// routed is negotiate for the documents that kube-apiserver has behind a router: /api, and those of versions with kinds
// that are built in.
func routed(r *http.Request, aggregated bool) (format, error) {
	if err := accept.RoutedDocument(r, accept.JSON, accept.YAML, accept.Protobuf); err != nil {
		return format{}, err
	}
	return negotiate(r, aggregated)
}

// match reads one clause of an Accept header: what it gets.
func match(c *accept.Clause, aggregated bool) (format, bool) {
	if stream := c.Params["stream"]; stream != "" && stream != "watch" {
		return format{}, false
	}
	if as := c.Params["as"]; as != "" {
		version := c.Params["v"]
		if !aggregated || as != "APIGroupDiscoveryList" || c.Params["g"] != "apidiscovery.k8s.io" || c.Media != accept.JSON ||
			version != "v2" && version != "v2beta1" {
			return format{}, false
		}
		return format{
			contentType: accept.JSON + ";g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList",
			aggregated:  version,
		}, true
	}
	switch {
	case c.Matches(accept.JSON):
		return format{contentType: accept.JSON}, true
	case c.Matches(accept.YAML):
		return format{contentType: accept.YAML, yaml: true}, true
	}
	return format{}, false
}

// encode turns JSON into the format.
func (f format) encode(data []byte) ([]byte, error) {
	switch {
	case f.yaml:
		return yaml.JSONToYAML(data)
	case f.pretty:
		var b bytes.Buffer
		err := json.Indent(&b, data, "", "  ")
		return b.Bytes(), err
	}
	return append(data, '\n'), nil
}
