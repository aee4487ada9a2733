package discovery

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// format is what a client gets. This is the place where protobuf joins: a media type here, and an encoding of the
// aggregated document next to its JSON.
type format struct {
	contentType string
	aggregated  string // version of APIGroupDiscoveryList: "v2", "v2beta1"; "" for the legacy documents
	yaml        bool
}

const (
	mediaJSON = "application/json"
	mediaYAML = "application/yaml"
)

var accepted = []string{mediaJSON, mediaYAML}

// negotiate picks the best format that the request accepts; aggregated says whether the document has that form.
func negotiate(r *http.Request, aggregated bool) (format, error) {
	header := r.Header.Values("Accept")
	if len(header) == 0 || strings.TrimSpace(strings.Join(header, "")) == "" {
		return format{contentType: mediaJSON}, nil
	}
	best, bestQ := format{}, 0.0
	for clause := range strings.SplitSeq(strings.Join(header, ","), ",") {
		f, q, ok := match(strings.TrimSpace(clause), aggregated)
		if ok && q > bestQ {
			best, bestQ = f, q
		}
	}
	if bestQ == 0 {
		return format{}, notAcceptable()
	}
	return best, nil
}

// match reads one clause of an Accept header: what it gets, and how much it is wanted.
func match(clause string, aggregated bool) (format, float64, bool) {
	media, params, err := mime.ParseMediaType(clause)
	if err != nil {
		return format{}, 0, false
	}
	q := 1.0
	if text, ok := params["q"]; ok {
		if q, err = strconv.ParseFloat(text, 64); err != nil {
			return format{}, 0, false
		}
	}
	if as := params["as"]; as != "" {
		version := params["v"]
		if !aggregated || as != "APIGroupDiscoveryList" || params["g"] != "apidiscovery.k8s.io" || media != mediaJSON ||
			version != "v2" && version != "v2beta1" {
			return format{}, 0, false
		}
		return format{
			contentType: mediaJSON + ";g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList",
			aggregated:  version,
		}, q, true
	}
	switch media {
	case mediaJSON, "*/*", "application/*":
		return format{contentType: mediaJSON}, q, true
	case mediaYAML:
		return format{contentType: mediaYAML, yaml: true}, q, true
	}
	return format{}, 0, false
}

// encode turns JSON into the format.
func (f format) encode(data []byte) ([]byte, error) {
	if f.yaml {
		return yaml.JSONToYAML(data)
	}
	return append(data, '\n'), nil
}

func notAcceptable() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotAcceptable,
		Reason:  metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: " + strings.Join(accepted, ", "),
	}}
}
