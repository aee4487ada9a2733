package openapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The media types of the documents. The protobuf forms have two names each, of which kubectl asks for the newer one and
// kube-apiserver answers with the older one.
const (
	mediaJSON     = "application/json"
	protoV2       = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
	protoV2Legacy = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
	protoV3       = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
	protoV3Legacy = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
)

// negotiate returns the media type that the client of r likes best: JSON, or protos[0] where it names one of protos.
// False: it takes neither.
func negotiate(r *http.Request, protos ...string) (string, bool) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return mediaJSON, true
	}
	best, bestQ, bestExact := "", 0.0, false
	for clause := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(clause, ";")
		answer, exact := mediaJSON, true
		switch media = strings.TrimSpace(media); {
		case media == mediaJSON:
		case slices.Contains(protos, media):
			answer = protos[0]
		case media == "*/*", media == "*", media == "application/*":
			exact = false
		default:
			continue
		}
		if q := quality(params); best == "" || q > bestQ || q == bestQ && exact && !bestExact {
			best, bestQ, bestExact = answer, q, exact
		}
	}
	return best, best != ""
}

// quality reads q of a clause's parameters, 1 where there is none.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			if q, err := strconv.ParseFloat(text, 64); err == nil {
				return q
			}
		}
	}
	return 1
}
