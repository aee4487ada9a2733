package endpoints

import (
	"mime"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

type encoding uint8

const (
	encodeJSON encoding = iota
	encodeYAML
)

const (
	mediaJSON     = "application/json"
	mediaYAML     = "application/yaml"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// output is what a client accepts: an encoding, and possibly another view of the objects.
type output struct {
	encoding encoding
	// as is "", "Table", "PartialObjectMetadata" or "PartialObjectMetadataList" of meta.k8s.io/v1.
	as     string
	table  string // of as=Table: the version to say, v1 or v1beta1
	pretty bool
}

// metadataOnly says that nothing but metadata will be shown of objects.
func (o output) metadataOnly() bool {
	return o.as == "PartialObjectMetadata" || o.as == "PartialObjectMetadataList"
}

func (o output) contentType() string {
	if o.encoding == encodeYAML {
		return mediaYAML
	}
	return mediaJSON
}

type accepted struct {
	media  string
	params map[string]string
	q      float64
}

// negotiate picks the first acceptable form. views says whether Table and PartialObjectMetadata are on offer.
// Error: NotAcceptable (406).
func negotiate(r *http.Request, views bool) (output, error) {
	pretty := isTrue(r.URL.Query().Get("pretty"))
	header := strings.Join(r.Header.Values("Accept"), ",")
	if header == "" || header == mediaJSON || header == "*/*" {
		return output{pretty: pretty || wantsPretty(r)}, nil
	}
	for _, a := range parseAccept(header) {
		out := output{pretty: pretty || wantsPretty(r)}
		switch a.media {
		case mediaJSON, "*/*", "application/*":
		case mediaYAML:
			out.encoding = encodeYAML
		default:
			continue
		}
		as := a.params["as"]
		if as == "" {
			return out, nil
		}
		if !views || a.params["g"] != "meta.k8s.io" || out.encoding != encodeJSON {
			continue
		}
		v := a.params["v"]
		switch as {
		case "Table", "PartialObjectMetadata", "PartialObjectMetadataList":
			if v != "v1" && v != "v1beta1" {
				continue
			}
		default:
			continue
		}
		out.as, out.table = as, v
		return out, nil
	}
	return output{}, notAcceptable(strings.Join([]string{mediaJSON, mediaYAML}, ", "))
}

func wantsPretty(r *http.Request) bool {
	if r.URL.Query().Has("pretty") {
		return false
	}
	ua := r.UserAgent()
	return strings.HasPrefix(ua, "curl") || strings.HasPrefix(ua, "Wget") || strings.HasPrefix(ua, "Mozilla/5.0")
}

func parseAccept(header string) []accepted {
	var out []accepted
	for _, part := range strings.Split(header, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q := 1.0
		if s, ok := params["q"]; ok {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				q = f
			}
		}
		out = append(out, accepted{media, params, q})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].q > out[j].q })
	return out
}
