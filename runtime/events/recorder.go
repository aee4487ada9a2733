package events

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	kruntime "k8s.io/apimachinery/pkg/runtime"
)

// The limits of the server's, in bytes.
const (
	longestNote = 1024
	longestWord = 128
)

// Recorder records events on behalf of a controller. It is safe for concurrent use.
type Recorder struct {
	w                    *Writer
	controller, instance string
}

// Recorder makes one. controller is who reports, a name with or without a domain before it: "website",
// "example.com/website".
func (w *Writer) Recorder(controller string) *Recorder {
	instance := w.opts.Instance
	if instance == "" {
		host, _ := os.Hostname() // who has no name is told apart by nothing
		instance = controller + "-" + host
	}
	return &Recorder{w, controller, instance[:min(len(instance), longestWord)]}
}

// Eventf records an event about an object, and returns at once. related is a second object that has a part in it, or
// nil. eventtype is "Normal" or "Warning". reason is why, a word for programs in UpperCamelCase; action is what the
// controller did or tried, in the same form ("": the reason); note is for people, with args formatted by package fmt, of
// 1024 bytes at most.
//
// It has the shape of client-go's EventRecorder, for reconcilers that hold one.
func (r *Recorder) Eventf(regarding, related kruntime.Object, eventtype, reason, action, note string, args ...any) {
	o := &occurrence{group: group{
		controller: r.controller, instance: r.instance, kind: eventtype, reason: reason, action: action,
	}, note: fmt.Sprintf(note, args...)}
	if o.action == "" {
		o.action = reason
	}
	err := r.w.refer(regarding, &o.regarding, &o.versions.regarding)
	if err == nil && !isNil(related) {
		err = r.w.refer(related, &o.related, &o.versions.related)
	}
	switch {
	case err != nil:
	case eventtype != "Normal" && eventtype != "Warning":
		err = fmt.Errorf("the type is %q, not Normal or Warning", eventtype)
	case reason == "" || len(reason) > longestWord || len(o.action) > longestWord:
		err = fmt.Errorf("a reason has 1 to %d characters, and an action as many at most", longestWord)
	}
	if err != nil {
		r.w.count(Invalid)
		r.w.failed(fmt.Errorf("events: %s: event %q: %w", r.controller, reason, err))
		return
	}
	r.w.observe(o)
}

func isNil(obj kruntime.Object) bool {
	if obj == nil {
		return true
	}
	v := reflect.ValueOf(obj)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// refer makes a reference to an object.
func (w *Writer) refer(obj kruntime.Object, to *reference, resourceVersion *string) error {
	if isNil(obj) {
		return errors.New("it is about no object")
	}
	gvk, err := w.client.GVKFor(obj)
	if err != nil {
		return err
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	to.apiVersion, to.kind = gvk.ToAPIVersionAndKind()
	to.namespace, to.name, to.uid = m.GetNamespace(), m.GetName(), string(m.GetUID())
	*resourceVersion = m.GetResourceVersion()
	if to.name == "" {
		return fmt.Errorf("the %s has no name", to.kind)
	}
	return nil
}

// shortened is a note of the length that servers take.
func shortened(note string) string {
	if len(note) <= longestNote {
		return strings.ToValidUTF8(note, "\uFFFD")
	}
	end := longestNote - len("...")
	for end > 0 && !utf8.RuneStart(note[end]) {
		end--
	}
	return strings.ToValidUTF8(note[:end], "?") + "..."
}

func micro(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
