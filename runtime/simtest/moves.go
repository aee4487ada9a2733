package simtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
)

// hold is a resource whose events are held back.
type hold struct {
	Fault
	steps int // that the user has yet to take
}

// move lets one thing happen, if there is one.
func (w *world) move(log logr.Logger) (bool, error) {
	if again, err := w.exited(log); again || err != nil {
		return again, err
	}
	a := w.sched.pick(w.random, w.may)
	if a == nil {
		return false, nil
	}
	if now := time.Now(); now != w.since {
		w.since, w.actions = now, 0
	}
	if w.actions++; w.actions > maxActions {
		return false, errOver{"the controllers never come to rest"}
	}
	switch {
	case a.event:
		w.tell(a)
	case a.write:
		return true, w.write(a, log)
	default:
		w.read(a)
	}
	return true, nil
}

// read lets a read happen, or a watch begin.
func (w *world) read(a *action) {
	if !a.watch && !a.background() {
		w.reads = append(w.reads, &occasion{method: a.method, label: a.label, step: w.step, idle: true})
		a.number = len(w.reads)
	}
	for i, f := range w.plan {
		if f.Kind == Unread && f.At == a.number && !w.happened[i] {
			w.happened[i] = true
			w.trace.action(a, saysOf[Unread])
			a.go_ <- order{Unread}
			return
		}
	}
	if !a.background() {
		w.trace.action(a, "")
	}
	a.go_ <- order{}
}

// may reports whether an action may happen now: whether it is no event that is held back.
func (w *world) may(a *action) bool {
	if !a.event {
		return true
	}
	for i, f := range w.plan {
		if (f.Kind == Hold || f.Kind == Miss) && !w.happened[i] && f.Resource == a.kind() && f.At == w.events[f.Resource]+1 {
			w.happened[i] = true
			w.holds = append(w.holds, &hold{Fault: f, steps: f.Steps})
			w.trace.add("   %s: events are held back, %s first", f, a.label)
		}
	}
	for _, h := range w.holds {
		if h.Resource == "" || h.Resource == a.kind() {
			return false
		}
	}
	return true
}

// holding reports whether events are held back that more steps may follow.
func (w *world) holding() bool { return len(w.holds) > 0 }

// release ends what is held back for no further step; all of it at the end. It reports whether there was any.
func (w *world) release(all bool) bool {
	var kept []*hold
	released := false
	for _, h := range w.holds {
		if h.steps > 0 && !all {
			kept = append(kept, h)
			continue
		}
		released = true
		w.trace.add("   %s: what was held back comes", h.Fault)
		if h.Kind == Miss {
			w.expire(h)
		}
	}
	w.holds = kept
	return released
}

// expire ends the watches of a resource whose events were held back.
func (w *world) expire(h *hold) {
	may := func(a *action) bool { return a.event && a.kind() == h.Resource }
	for a := w.sched.pick(nil, may); a != nil; a = w.sched.pick(nil, may) {
		w.trace.action(a, "410, with all that follow")
		a.go_ <- order{Miss}
	}
}

// tell lets an event reach the caches.
func (w *world) tell(a *action) {
	kind := a.kind()
	a.number = w.events[kind] + 1
	for i, f := range w.plan {
		if f.Kind == Drop && !w.happened[i] && f.Resource == kind && f.At == a.number {
			w.happened[i] = true
			w.trace.action(a, "the watch breaks")
			a.go_ <- order{Drop}
			return
		}
	}
	w.events[kind] = a.number
	w.trace.action(a, "")
	a.go_ <- order{}
}

// write lets a write happen, as the plan says.
func (w *world) write(a *action, log logr.Logger) error {
	o := &occasion{method: a.method, label: a.label, step: w.step}
	w.writes = append(w.writes, o)
	a.number = len(w.writes)
	late := !w.wrote.Equal(time.Now())
	if late {
		if err := w.learnRevision(); err != nil {
			return err
		}
	}
	before := w.newest()
	fault := w.letWrite(a)
	if fault == Crash || fault == Stale {
		return w.crash(a.number, log)
	}
	if late { // whoever only makes sure that there is nothing to delete does not keep the run from its end
		synctest.Wait()
		if err := w.learnRevision(); err != nil {
			return err
		}
		o.idle = w.newest() == before
	}
	if !o.idle {
		w.wrote = time.Now()
	}
	return nil
}

// letWrite lets a write happen with the fault that the plan has for it, if there is one, and returns its kind.
func (w *world) letWrite(a *action) (kind Kind) {
	for i, f := range w.plan {
		if f.Kind.scope() == ofWrites && f.At == a.number && !w.happened[i] {
			kind, w.happened[i] = f.Kind, true
			break
		}
	}
	if kind == Conflict {
		w.interfere(a)
	}
	w.trace.action(a, saysOf[kind])
	a.go_ <- order{kind}
	return kind
}

// crash ends the process at a write, and begins another one.
func (w *world) crash(at int, log logr.Logger) error {
	synctest.Wait() // the server carries the write out
	w.kill()
	w.wrote = time.Now()
	for _, f := range w.plan {
		if back := w.step - 1 - f.Steps; f.Kind == Stale && f.At == at && back >= 0 {
			old := w.began[back]
			w.holds = append(w.holds, &hold{Fault: f})
			w.trace.add("   another process starts, its cache of %s as of before step %d (revision %s)", cmp.Or(f.Resource, "everything"), back+1, old)
			return w.start(log, old, f.Resource)
		}
	}
	w.trace.add("   another process starts")
	return w.start(log, "", "")
}

var saysOf = map[Kind]string{
	Crash: "the process crashes", Stale: "the process crashes", Lost: "the answer is lost", Timeout: "answered with 504",
	Undone: "not carried out", Fail: "not carried out", Throttle: "not carried out",
	Unread: "not carried out",
}

const mark = "simtest.keelson.dev/somebody-else"

// interfere writes an annotation into the object that a write is about, if there is one.
func (w *world) interfere(a *action) {
	if a.name == "" {
		return
	}
	path := a.collection()
	if a.namespace != "" {
		path = strings.TrimSuffix(path, a.resource) + "namespaces/" + a.namespace + "/" + a.resource
	}
	path += "/" + a.name
	var obj struct{ Metadata struct{ UID string } }
	err := w.ask(http.MethodPatch, path, []byte(`{"metadata":{"annotations":{"`+mark+`":"was here"}}}`), &obj)
	if err != nil {
		return // it is gone, or refuses to be changed
	}
	w.conflicts[path] = obj.Metadata.UID
	w.trace.add("   somebody else writes into %s", a.key(a.namespace, a.name))
}

// overwritten finds objects that have lost what somebody else wrote.
func (w *world) overwritten() error {
	for path, uid := range w.conflicts {
		var obj struct {
			Metadata struct {
				UID         string
				Annotations map[string]string
			}
		}
		if err := w.get(path, &obj); err != nil || obj.Metadata.UID != uid {
			continue // it was deleted meanwhile
		}
		if obj.Metadata.Annotations[mark] == "" {
			t := targetOf(path)
			return errOver{t.key(t.namespace, t.name) + " has lost an annotation that somebody else wrote just before one of the controllers' writes"}
		}
	}
	return nil
}

// ask sends a request past all faults, and decodes the JSON that it is answered with.
func (w *world) ask(method, path string, patch []byte, into any) error {
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	host := w.base.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(host, "/")+path, bytes.NewReader(patch))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if patch != nil {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if w.base.BearerToken != "" {
		r.Header.Set("Authorization", "Bearer "+w.base.BearerToken)
	}
	resp, err := w.base.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s %s: %w", method, path, errAbsent)
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("simtest: %s %s: %s", method, path, data)
	}
	return json.Unmarshal(data, into)
}
