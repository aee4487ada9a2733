package informer

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Scope names a collection: the objects of a kind, in some namespaces or all, that selectors choose. It is
// comparable; equal Scopes are the same collection.
type Scope struct {
	GVK           schema.GroupVersionKind
	Namespace     string // "": all namespaces, or a kind without; several as In writes them
	LabelSelector string // as on the wire
	FieldSelector string
	// MetadataOnly asks the server for PartialObjectMetadata of the objects.
	MetadataOnly bool
}

// In is the scope in several namespaces, all if none is named. An informer over it has a list and watch for each of
// them; a Source sees them one by one.
func (s Scope) In(namespaces ...string) Scope {
	namespaces = slices.Compact(slices.Sorted(slices.Values(namespaces)))
	s.Namespace = strings.Join(namespaces, ",") // which no name contains
	return s
}

// Namespaces of the scope; one that is "" for all.
func (s Scope) Namespaces() []string { return strings.Split(s.Namespace, ",") }

// Source is a server as the informer sees it: two requests. Implementations are safe for concurrent use.
//
// Errors of the server are *apierrors.StatusError (410 as reason Expired or Gone, 404, 429 with its
// RetryAfterSeconds, ...), including those inside a watch. A kind that the server does not have is a NotFound
// status or a *meta.NoKindMatchError / *meta.NoResourceMatchError; the informer tries again until there is one.
// Anything else is taken for a failure of the connection. An implementation does not retry.
type Source interface {
	// List reads one page. opts is what goes on the wire, selectors of the scope included: ResourceVersion,
	// ResourceVersionMatch, Limit, Continue, LabelSelector, FieldSelector. It ends when ctx ends.
	List(ctx context.Context, scope Scope, opts metav1.ListOptions) (Page, error)

	// Watch opens a stream of changes after opts.ResourceVersion. opts is what goes on the wire, too:
	// AllowWatchBookmarks, SendInitialEvents with ResourceVersionMatch, TimeoutSeconds and the selectors. It
	// returns when the server has answered. The stream ends when ctx ends, or is closed.
	Watch(ctx context.Context, scope Scope, opts metav1.ListOptions) (Stream, error)
}

// Stream is an open watch. It is used by one goroutine; Close may be called by any, and makes Next return.
type Stream interface {
	// Next waits for the next event. It returns io.EOF where the server ended the watch in order, ctx's error
	// where ctx ended first, and any other error where the connection failed. An event of type ERROR is
	// returned as an event, its Status in Object.
	Next(ctx context.Context) (Event, error)
	// Close ends the stream and frees its connection. Closing twice is harmless.
	Close()
}

// Page is an answer to List.
type Page struct {
	// Items are encoded objects, in the server's order. Their apiVersion and kind may be absent, as
	// Kubernetes leaves them out of lists of built-in kinds. The informer copies what it keeps: Items may
	// share one buffer.
	Items [][]byte
	// ContentType of the items; "" and "application/json" are JSON.
	ContentType     string
	ResourceVersion string // of the list
	Continue        string // token of the next page; "" on the last
}

// Event is one event of a watch.
type Event struct {
	Type watch.EventType // ADDED, MODIFIED, DELETED, BOOKMARK or ERROR
	// Object is encoded as ContentType says. It is valid until the next call of Next.
	Object      []byte
	ContentType string // "" and "application/json" are JSON
}
