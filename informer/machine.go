package informer

import (
	"errors"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// phase of a reflector. Its machine moves through them like this, and after a failure comes back to where it
// was once it has waited:
//
//	            refused
//	streaming ----------> listing
//	    |                    |
//	    +----> watching <----+
//	             |  ^ dropped: resume
//	             +--+
//	             | 410: streaming or listing again
type phase uint8

const (
	streaming phase = iota // a watch that begins with the objects there are
	listing                // page by page
	watching               // the store is complete; changes follow

	missing // for reports: the server has no such collection
	stopped // for reports
)

// step is what the loop is to do next: wait, then make the request of phase with opts.
type step struct {
	wait  time.Duration
	phase phase
	opts  metav1.ListOptions
}

// outcome is what a failure means for the store.
type outcome uint8

const (
	keep    outcome = iota // go on with what is there
	discard                // the partial initial state is void
	absent                 // the server has no such collection: it is empty
)

// machine decides what a reflector does: no I/O, no clock, no goroutine. Failures and progress go in, steps come
// out.
type machine struct {
	phase      phase
	stream     bool   // streaming is still believed to be served
	revision   string // of the last list, event or bookmark; what a watch resumes from
	token      string // of the next page, while listing
	whole      bool   // list without pages: a token expired
	failures   int    // since a watch last made progress
	relisted   bool   // the last watch ended at once, in the loss of history
	denied     int    // how often in a row the server said that it has no such collection
	pause      bool   // the next step waits for the failures
	retryAfter time.Duration

	pageSize             int64
	minBackoff, maxDelay time.Duration
	labels, fields       string
}

// next is the step to take; spread and timeout are random, from 0 to 1, and the seconds that a watch may last.
func (m *machine) next(spread float64, timeout int64) step {
	s := step{phase: m.phase}
	if m.pause {
		s.wait, m.pause = m.backoff(spread), false
	}
	s.opts.LabelSelector, s.opts.FieldSelector = m.labels, m.fields
	switch m.phase {
	case streaming:
		s.opts.AllowWatchBookmarks = true
		yes := true
		s.opts.SendInitialEvents = &yes
		s.opts.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
		s.opts.TimeoutSeconds = &timeout
	case listing:
		s.opts.Continue = m.token
		if !m.whole && m.pageSize > 0 {
			s.opts.Limit = m.pageSize
		}
	case watching:
		s.opts.AllowWatchBookmarks = true
		s.opts.ResourceVersion = m.revision
		s.opts.TimeoutSeconds = &timeout
	}
	return s
}

// backoff is how long to wait for the failures so far, plus up to half at random, and not less than the server
// asked for.
func (m *machine) backoff(spread float64) time.Duration {
	d := m.retryAfter
	if m.failures > 0 {
		b := m.maxDelay
		if n := m.failures - 1; n < 30 && m.minBackoff <= m.maxDelay>>n {
			b = m.minBackoff << n
		}
		if m.denied > 0 {
			b = min(b, absentWait)
		}
		d = max(d, b+time.Duration(spread*float64(b)/2))
	}
	return d
}

// page says that a page arrived. It returns whether it was the last.
func (m *machine) page(revision, token string) bool {
	m.token = token
	if token != "" {
		return false
	}
	m.begin(revision)
	return true
}

// begin enters watching with a complete store at a revision. That alone is no progress: a server whose watches
// fail at once must not be listed without pause.
func (m *machine) begin(revision string) {
	m.phase, m.revision, m.token, m.whole, m.denied = watching, revision, "", false, 0
}

// event says that a change or bookmark of a revision arrived while watching.
func (m *machine) event(revision string) {
	m.failures, m.relisted = 0, false
	if revision != "" && (!isRevision(revision) || !isRevision(m.revision) || newer(revision, m.revision)) {
		m.revision = revision
	}
}

// fail counts a failure, for which the next step waits.
func (m *machine) fail() { m.failures, m.pause = m.failures+1, true }

// ended says that a request failed, or that a watch ended: err is io.EOF where it did so in order, after it had
// lasted so long.
func (m *machine) ended(err error, lasted time.Duration) outcome {
	m.retryAfter = 0
	if !isAbsent(err) {
		m.denied = 0
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		m.retryAfter, m.pause = time.Duration(seconds)*time.Second, true
	}
	switch m.phase {
	case streaming:
		return m.streamingEnded(err)
	case listing:
		return m.listingEnded(err)
	default:
		return m.watchEnded(err, lasted)
	}
}

func (m *machine) streamingEnded(err error) outcome {
	if refusesStreaming(err) {
		m.stream, m.phase = false, listing
		return discard
	}
	m.fail()
	if isAbsent(err) {
		return m.deny()
	}
	if m.failures >= 2 && !unreachable(err) {
		m.phase = listing // a server that does not know the option may never end the initial events
	}
	return discard
}

func (m *machine) listingEnded(err error) outcome {
	switch {
	case isExpired(err) && m.token != "":
		m.token, m.whole = "", true
		return discard
	case isAbsent(err):
		m.fail()
		m.token = ""
		return m.deny()
	}
	m.fail()
	if isExpired(err) {
		m.token = ""
		return discard
	}
	return keep // the page is asked for again
}

// absentWait is how long a kind that the server does not have is not asked for, at most: a CRD may be made any time.
const absentWait = 5 * time.Second

// deny: the server says that it has no such collection. Once may be a server that has just started and not read its
// CRDs yet.
func (m *machine) deny() outcome {
	m.denied++
	if m.denied < 2 {
		return discard
	}
	return absent
}

// watchEnded: a watch that lasted is resumed at once, one that breaks as soon as it is open is not.
func (m *machine) watchEnded(err error, lasted time.Duration) outcome {
	short := lasted < m.minBackoff
	if !short {
		m.failures = 0
	}
	if losesHistory(err) {
		if short && m.failures > 0 || m.relisted {
			m.fail()
		}
		m.relisted = short
		m.again()
		return discard
	}
	if short || !errors.Is(err, io.EOF) {
		m.fail()
	}
	return keep
}

// losesHistory: the watch cannot be resumed, what the server has must be read again.
func losesHistory(err error) bool {
	return isExpired(err) || isAbsent(err) || apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) ||
		apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
}

// again goes back to where the initial state is asked for.
func (m *machine) again() {
	m.phase, m.revision, m.token = listing, "", ""
	if m.stream {
		m.phase = streaming
	}
}

func isExpired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

func isAbsent(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// refusesStreaming: what servers answer that do not serve sendInitialEvents, or not for this kind.
func refusesStreaming(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.IsNotAcceptable(err) || apierrors.IsForbidden(err)
}

// unreachable: the server did not answer at all, which says nothing about what it serves.
func unreachable(err error) bool {
	var status apierrors.APIStatus
	return !errors.Is(err, io.EOF) && !errors.Is(err, errSilent) && !errors.As(err, &status)
}
