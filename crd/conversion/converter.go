package conversion

import (
	"context"
	"strings"

	kschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// Converter brings objects of one kind into another version of it.
type Converter interface {
	// Convert returns one result for each of objs, in their order; their own apiVersion says what they are in. The
	// results may share memory with objs, which must not be used afterwards. apiVersion is "GROUP/VERSION".
	Convert(ctx context.Context, objs []resource.Object, apiVersion string) []resource.Converted
}

// gvkOf says what an object is, in Kubernetes' notation: "example.com/v1, Kind=Website".
func gvkOf(obj resource.Object) kschema.GroupVersionKind {
	apiVersion, _ := obj["apiVersion"].(string)
	kind, _ := obj["kind"].(string)
	return kschema.FromAPIVersionAndKind(apiVersion, kind)
}

// versionOf is the version of an apiVersion.
func versionOf(apiVersion string) string {
	return apiVersion[strings.LastIndexByte(apiVersion, '/')+1:]
}
