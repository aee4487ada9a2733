package endpoints

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
	"github.com/keelson-project/keelson/internal/accept"
)

// minWatchTimeout is the shortest life of a watch that names none; the longest is twice that, so that clients
// do not come back all at once.
const minWatchTimeout = 30 * time.Minute

func (c *call) watch() error {
	out, err := c.negotiate(true)
	if err != nil {
		return err
	}
	if out.encoding != encodeJSON {
		return accept.None(streamedJSON, streamedProtobuf)
	}
	q, err := parseListQuery(c.r.URL.Query(), true)
	if err != nil {
		return err
	}
	if c.info.Name != "" { // the old form of a watch on one object
		byName := fields.OneTermEqualSelector("metadata.name", c.info.Name)
		if q.Fields != nil {
			byName = fields.AndSelectors(byName, q.Fields)
		}
		q.Fields = byName
	}
	timeout := q.timeout
	if timeout == 0 {
		timeout = minWatchTimeout + rand.N(minWatchTimeout)
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), timeout)
	defer cancel()
	s := &watchStream{c: c, out: out, bookmarks: q.bookmarks, flush: flusher(c.w), w: bufio.NewWriterSize(c.w, 16<<10)}
	if out.as == "Table" {
		if s.table, err = c.newTable(out); err != nil {
			return err
		}
	}
	target := c.t
	target.Name, target.MetadataOnly = "", out.metadataOnly()
	s.watch, err = c.api.registry.Watch(ctx, target, registry.WatchOptions{
		Selection: q.Selection, ResourceVersion: q.ResourceVersion,
		ResourceVersionMatch: q.ResourceVersionMatch, InitialEvents: q.initialEvents,
	})
	if err != nil && !apierrors.IsResourceExpired(err) {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", out.contentType())
	h.Set("Cache-Control", "no-cache, private")
	c.w.WriteHeader(http.StatusOK)
	if err != nil { // Kubernetes opens the stream and says in it that history is gone
		s.fail(err)
		return nil
	}
	defer s.watch.Stop()
	s.run(ctx)
	return nil
}

// watchStream writes one watch to its client.
type watchStream struct {
	c         *call
	out       output
	table     *table
	watch     *registry.Watch
	bookmarks bool
	w         *bufio.Writer
	flush     func()
}

// run ends when the client goes, the time is over, the server stops, or the watch cannot continue.
func (s *watchStream) run(ctx context.Context) {
	s.flush() // the client learns that the watch stands before anything happens
	for _, e := range s.watch.Initial {
		if s.send(ctx, "ADDED", e) != nil {
			return
		}
	}
	at := s.watch.InitialRevision
	if s.watch.Streamed && s.bookmarks { // Kubernetes streams the state to who wants no bookmarks, too, without its end
		s.bookmark(at, true)
	}
	if s.done() != nil {
		return
	}
	next := s.c.api.options.Now().Add(s.c.api.options.BookmarkEvery)
	var buf [64]watchcache.Event
	for {
		events, upTo, err := s.next(ctx, buf[:0], next)
		switch {
		case errors.Is(err, errBookmarkDue):
			next = s.c.api.options.Now().Add(s.c.api.options.BookmarkEvery)
			if s.bookmarks && at > 0 {
				s.bookmark(at, false)
			}
		case err != nil:
			s.end(ctx, err, at)
			return
		}
		for i := range events {
			if s.send(ctx, typeNames[events[i].Type], events[i].Entry) != nil {
				return
			}
		}
		if upTo > at {
			at = upTo
		}
		if s.done() != nil {
			return
		}
	}
}

var typeNames = [...]string{watchcache.Added: "ADDED", watchcache.Modified: "MODIFIED", watchcache.Deleted: "DELETED"}

var errBookmarkDue = errors.New("a bookmark is due")

// next waits for events, at most until the next bookmark.
func (s *watchStream) next(ctx context.Context, buf []watchcache.Event, bookmark time.Time) ([]watchcache.Event, storage.Revision, error) {
	wait, cancel := context.WithTimeoutCause(ctx, bookmark.Sub(s.c.api.options.Now()), errBookmarkDue)
	defer cancel()
	events, upTo, err := s.watch.Next(wait, buf)
	if err != nil && errors.Is(context.Cause(wait), errBookmarkDue) {
		return nil, 0, errBookmarkDue
	}
	return events, upTo, err
}

// send writes one event.
func (s *watchStream) send(ctx context.Context, kind string, e *watchcache.Entry) error {
	data, err := s.watch.Encode(ctx, e)
	if err == nil {
		data, err = s.view(ctx, data)
	}
	if err != nil {
		s.fail(err)
		return err
	}
	return s.frame(kind, data)
}

func (s *watchStream) view(ctx context.Context, data []byte) ([]byte, error) {
	switch s.out.as {
	case "Table":
		row, err := s.table.single(ctx, data)
		s.table.header = false // only the first table of a watch names its columns
		return row, err
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		return resource.PartialMetadata(data, s.out.table), nil
	}
	return data, nil
}

func (s *watchStream) frame(kind string, data []byte) error {
	_, _ = s.w.WriteString(`{"type":"`)
	_, _ = s.w.WriteString(kind)
	_, _ = s.w.WriteString(`","object":`)
	_, _ = s.w.Write(data)
	_, err := s.w.WriteString("}\n")
	if f := s.c.api.options.WatchEvent; f != nil {
		f(s.c.t.Def, len(data))
	}
	return err
}

// done sends what has been written.
func (s *watchStream) done() error {
	if s.w.Buffered() == 0 {
		return nil
	}
	err := s.w.Flush()
	s.flush()
	return err
}

func (s *watchStream) bookmark(at storage.Revision, initialEnd bool) {
	kind, apiVersion := s.c.t.Def.Names.Kind, s.c.t.Def.APIVersion(s.c.t.Version.Name)
	switch s.out.as {
	case "PartialObjectMetadata", "PartialObjectMetadataList":
		kind, apiVersion = "PartialObjectMetadata", "meta.k8s.io/"+s.out.table
	}
	annotations := ""
	if initialEnd {
		annotations = `,"annotations":{"` + metav1.InitialEventsAnnotationKey + `":"true"}`
	}
	rv := strconv.FormatInt(int64(at), 10)
	object := `{"kind":"` + kind + `","apiVersion":"` + apiVersion + `","metadata":{"resourceVersion":"` + rv + `"` + annotations + `}}`
	if s.table != nil {
		object = `{"kind":"Table","apiVersion":"meta.k8s.io/` + s.out.table + `","metadata":{"resourceVersion":"` + rv + `"},"columnDefinitions":[],"rows":[{"cells":[],"object":` + object + `}]}`
	}
	_ = s.frame("BOOKMARK", []byte(object))
	_ = s.done()
}

// end closes the stream as its cause demands.
func (s *watchStream) end(ctx context.Context, err error, at storage.Revision) {
	switch {
	case errors.Is(err, watchcache.ErrExpired):
		s.fail(apierrors.NewResourceExpired("too old resource version: " + strconv.FormatInt(int64(at), 10)))
	case ctx.Err() != nil && s.c.r.Context().Err() == nil:
		if s.bookmarks && at > 0 { // the time is over: a last bookmark lets the client resume at no cost
			s.bookmark(at, false)
		}
	}
}

// fail tells the client in the stream why it ends.
func (s *watchStream) fail(err error) {
	raw, _ := json.Marshal(StatusOf(err))
	_ = s.frame("ERROR", raw)
	_ = s.done()
}
