package resource

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// errNoMetadata: what the store holds is not an API object.
var errNoMetadata = errors.New("the stored value is not a JSON object with metadata")

// WithRevision returns a copy of an encoded object with metadata.resourceVersion set to revision. Stored bytes
// have none, so this is an insertion at the head of metadata; bytes that do have one (another server may have
// written them) get it replaced.
func WithRevision(data []byte, revision int64) ([]byte, error) {
	at, end := jsonscan.Index(data, "metadata")
	if at < 0 || end-at < 2 || data[at] != '{' {
		return nil, errNoMetadata
	}
	if from, to := jsonscan.Index(data, "metadata", "resourceVersion"); from >= 0 {
		out := make([]byte, 0, len(data)+20)
		out = append(append(out, data[:from]...), '"')
		out = append(strconv.AppendInt(out, revision, 10), '"')
		return append(out, data[to:]...), nil
	}
	const field = `"resourceVersion":"`
	out := make([]byte, 0, len(data)+len(field)+decimalLen(revision)+2)
	out = append(append(out, data[:at+1]...), field...)
	out = append(strconv.AppendInt(out, revision, 10), '"')
	if end-at > 2 {
		out = append(out, ',')
	}
	return append(out, data[at+1:]...), nil
}

func decimalLen(n int64) int {
	l := 1
	for ; n >= 10; n /= 10 {
		l++
	}
	return l
}

// canonicalHead is how canonical JSON begins: no key sorts before apiVersion in what Kubernetes stores.
const canonicalHead = `{"apiVersion":"`

// RawAPIVersion returns the apiVersion of an encoded object, as it is encoded, between its quotes; nil where there
// is none. It allocates nothing, and in canonical JSON looks at the first bytes only.
func RawAPIVersion(data []byte) []byte {
	if rest, ok := bytes.CutPrefix(data, []byte(canonicalHead)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return rest[:end]
		}
	}
	if raw := jsonscan.Get(data, "apiVersion"); len(raw) >= 2 && raw[0] == '"' {
		return raw[1 : len(raw)-1]
	}
	return nil
}

// HasAPIVersion says whether an encoded object is of a group and version. It allocates nothing.
func HasAPIVersion(data []byte, group, version string) bool {
	raw := RawAPIVersion(data)
	if group == "" {
		return string(raw) == version
	}
	n := len(group)
	return len(raw) == n+1+len(version) && string(raw[:n]) == group && raw[n] == '/' && string(raw[n+1:]) == version
}

// WithAPIVersion returns data with another apiVersion; data itself where it has that one already.
func WithAPIVersion(data []byte, apiVersion string) []byte {
	from, to := jsonscan.Index(data, "apiVersion")
	if from < 0 || jsonscan.String(data[from:to]) == apiVersion {
		return data
	}
	out := make([]byte, 0, len(data)+len(apiVersion))
	out = AppendString(append(out, data[:from]...), apiVersion)
	return append(out, data[to:]...)
}

// MetadataOf is an encoded object with its apiVersion, kind and metadata alone.
func MetadataOf(data []byte) []byte {
	return slices.Concat([]byte(`{"apiVersion":`), orNull(jsonscan.Get(data, "apiVersion")), []byte(`,"kind":`),
		orNull(jsonscan.Get(data, "kind")), []byte(`,"metadata":`), orNull(jsonscan.Get(data, "metadata")), []byte("}"))
}

func orNull(raw []byte) []byte {
	if raw == nil {
		return []byte("null")
	}
	return raw
}

// PartialMetadata returns the PartialObjectMetadata view of an encoded object, of meta.k8s.io in the given
// version, without decoding it.
func PartialMetadata(data []byte, version string) []byte {
	from, to := jsonscan.Index(data, "metadata")
	meta := []byte("{}")
	if from >= 0 {
		meta = data[from:to]
	}
	return slices.Concat([]byte(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/`), []byte(version), []byte(`","metadata":`), meta, []byte("}"))
}

// MetadataAlone returns what can be said of an encoded object in any version without conversion: apiVersion, kind and
// metadata.
func MetadataAlone(data []byte, apiVersion, kind string) []byte {
	meta := jsonscan.Get(data, "metadata")
	if meta == nil {
		meta = []byte("{}")
	}
	return slices.Concat([]byte(`{"apiVersion":"`+apiVersion+`","kind":"`+kind+`","metadata":`), meta, []byte("}"))
}
