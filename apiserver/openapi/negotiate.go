package openapi

import (
	"net/http"
	"slices"

	"github.com/keelson-project/keelson/internal/accept"
)

// The media types of the documents. The protobuf forms have two names each, of which kubectl asks for the newer one and
// kube-apiserver answers with the older one.
const (
	mediaJSON     = accept.JSON
	protoV2       = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
	protoV2Legacy = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
	protoV3       = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
	protoV3Legacy = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
)

// negotiate returns the media type that the client of r likes best: JSON, or protos[0] where it names one of protos.
// False: it takes neither.
func negotiate(r *http.Request, protos ...string) (string, bool) {
	clauses := accept.Clauses(r)
	for i := range clauses {
		switch c := &clauses[i]; {
		case c.Matches(mediaJSON):
			return mediaJSON, true
		case slices.Contains(protos, c.Media):
			return protos[0], true
		}
	}
	return mediaJSON, len(clauses) == 0
}
