package resource

import (
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

// WithAPIVersion returns data with another apiVersion; data itself where it has that one already.
func WithAPIVersion(data []byte, apiVersion string) []byte {
	from, to := jsonscan.Index(data, "apiVersion")
	if from < 0 || jsonscan.String(data[from:to]) == apiVersion {
		return data
	}
	out := make([]byte, 0, len(data)+len(apiVersion))
	out = appendString(append(out, data[:from]...), apiVersion)
	return append(out, data[to:]...)
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
