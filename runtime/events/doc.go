// Package events has reconcilers tell users what they do, as Events of events.k8s.io/v1: kubectl describe shows them, and
// kubectl get events.
//
//	recorder := mgr.EventRecorder("website") // of package runtime; or a Writer's, without a manager
//	recorder.Eventf(site, nil, "Warning", "NoSuchImage", "Deploy", "there is no image %q", site.Spec.Image)
//
// Package runtime's Event is something else: a change that a watch tells of.
//
// # What becomes of an event
//
// Eventf returns at once, whatever the server does. A Writer takes the event in, and its Run writes it:
//
//   - What is said again, about the same object with the same words, is counted: the Event that is there says how often,
//     and when last. That is written after 10 seconds, then less and less often, every 5 minutes in the end. A series
//     ends when nothing was added for an hour; servers forget Events by then.
//   - Of ten that differ in their notes only, within ten minutes, the next are one: "(combined from similar events)".
//   - About one object a Recorder makes 25 Events at once, and one every five minutes then. More are dropped (Limited).
//   - A thousand may wait to be written. More are dropped (Full).
//   - What a server refuses is dropped (Failed). While it does not answer, writing waits and tries again.
//   - When Run is to end, what waits is written, for as long as Options.FlushTimeout.
//
// Writer.Stats tells how many became what. The client that writes needs the right to create and patch events in the group
// events.k8s.io, in the namespaces of the objects; Events of objects without a namespace are in "default".
package events
