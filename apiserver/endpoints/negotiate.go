package endpoints

import (
	"net/http"
	"slices"

	"github.com/keelson-project/keelson/internal/accept"
)

type encoding uint8

const (
	encodeJSON encoding = iota
	encodeYAML
)

const (
	mediaJSON     = accept.JSON
	mediaYAML     = accept.YAML
	mediaProtobuf = accept.Protobuf
)

// streamed are the media types of watches.
const (
	streamedJSON     = mediaJSON + ";stream=watch"
	streamedProtobuf = mediaProtobuf + ";stream=watch"
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

// negotiate picks the form of the answer. What nobody accepts is refused in the place, and the words, of kube-apiserver:
// there the kinds that are built in have a router before them. Error: NotAcceptable (406).
func (c *call) negotiate(views bool) (output, error) {
	if !c.t.Def.Custom {
		var err error
		if c.info.Verb == "list" || c.info.Verb == "watch" {
			err = accept.Routed(c.r, mediaJSON, mediaYAML, mediaProtobuf, streamedJSON, streamedProtobuf)
		} else {
			err = accept.Routed(c.r, mediaJSON, mediaYAML, mediaProtobuf)
		}
		if err != nil {
			return output{}, err
		}
	}
	out, err := negotiate(c.r, views)
	if err != nil && !c.t.Def.Custom && accepts(c.r, mediaProtobuf) { // which we do not serve, as the answer has to say
		err = accept.None(mediaJSON, mediaYAML)
	}
	return out, err
}

func accepts(r *http.Request, media string) bool {
	return slices.ContainsFunc(accept.Clauses(r), func(c accept.Clause) bool { return c.Media == media })
}

// negotiate picks the first acceptable form. views says whether Table and PartialObjectMetadata are on offer.
// Error: NotAcceptable (406).
func negotiate(r *http.Request, views bool) (output, error) {
	header := r.Header["Accept"]
	if len(header) == 0 || len(header) == 1 && (header[0] == mediaJSON || header[0] == "*/*" || header[0] == "") {
		return output{pretty: accept.Pretty(r)}, nil
	}
	for _, a := range accept.Clauses(r) {
		out := output{pretty: a.Params["pretty"] == "1" || accept.Pretty(r)}
		switch {
		case a.Matches(mediaJSON):
		case a.Matches(mediaYAML):
			out.encoding = encodeYAML
		default:
			continue
		}
		if stream := a.Params["stream"]; stream != "" && stream != "watch" {
			continue
		}
		as, group, version := a.Params["as"], a.Params["g"], a.Params["v"]
		if as == "" && group == "" && version == "" {
			return out, nil
		}
		if !views || group != "meta.k8s.io" || version != "v1" && version != "v1beta1" {
			continue
		}
		switch as {
		case "Table", "PartialObjectMetadata", "PartialObjectMetadataList":
			out.as, out.table = as, version
			return out, nil
		}
	}
	return output{}, accept.None(mediaJSON, mediaYAML, mediaProtobuf)
}
