package crd

import (
	"context"
	"fmt"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"golang.org/x/sync/errgroup"

	"github.com/keelson-project/keelson/apiserver/resource"
)

const (
	// finalizer keeps a CustomResourceDefinition until its instances are gone.
	finalizer = apiextensionsv1.CustomResourceCleanupFinalizer
	// recheck is how long Run waits for finalizers of instances, if no removal wakes it: those that another
	// server handles are seen by looking again only.
	recheck = time.Second
	// parallel is how many kinds are emptied at a time; each takes the time of its instances' deletion.
	parallel = 4
)

// Run finishes what a write alone cannot: it deletes the instances of kinds whose CustomResourceDefinition is being
// deleted, and accepts names once they are free. It returns when ctx ends and its goroutines have.
func (i *Installer) Run(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(parallel)
	r := runner{Installer: i, busy: map[string]bool{}, later: map[string]time.Time{}}
	timer := time.NewTimer(recheck)
	defer timer.Stop()
	for ctx.Err() == nil {
		for _, name := range r.ready() {
			group.Go(func() error {
				r.done(name, i.process(ctx, name))
				return nil
			})
		}
		timer.Reset(r.untilNext())
		select {
		case <-i.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// runner is the state of one Run; it shares the Installer's mutex.
type runner struct {
	*Installer
	busy  map[string]bool
	later map[string]time.Time
}

// ready moves the names that are due from work to busy.
func (r *runner) ready() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for name, at := range r.later {
		if !now.Before(at) {
			delete(r.later, name)
			r.work[name] = true
		}
	}
	var names []string
	for name := range r.work {
		if !r.busy[name] {
			r.busy[name] = true
			names = append(names, name)
		}
	}
	for _, name := range names {
		delete(r.work, name)
		delete(r.later, name)
	}
	slices.Sort(names)
	return names
}

func (r *runner) done(name string, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, name)
	if again {
		r.later[name] = time.Now().Add(recheck)
	}
	r.signal()
}

func (r *runner) untilNext() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := time.Hour
	for _, at := range r.later {
		next = min(next, time.Until(at))
	}
	return max(next, 0)
}

// signal wakes Run; one token is enough, since Run looks at all there is.
func (i *Installer) signal() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// enqueue requires mu. It notes what Run has to do after now took the place of was.
func (i *Installer) enqueue(now, was *installed) {
	if now.deleting() || !apiequality.Semantic.DeepEqual(now.Spec.Names, now.Status.AcceptedNames) {
		i.work[now.name] = true
		i.signal()
	}
	if was != nil && !apiequality.Semantic.DeepEqual(was.Status.AcceptedNames, now.Status.AcceptedNames) {
		i.enqueueGroup(now.Spec.Group)
	}
}

// enqueueGroup requires mu. Names of the group were let go: others may have been waiting for them.
func (i *Installer) enqueueGroup(group string) {
	for name, other := range i.groups[group].members() {
		if !apiequality.Semantic.DeepEqual(other.Spec.Names, other.Status.AcceptedNames) {
			i.work[name] = true
			i.signal()
		}
	}
}

// deleting says whether the instances are to be deleted.
func (h *head) deleting() bool {
	return !h.Metadata.DeletionTimestamp.IsZero() && slices.Contains(h.Metadata.Finalizers, finalizer)
}

// instanceStored is the hook of a terminating kind: a removed instance may have been the last one.
func (i *Installer) instanceStored(name string, terminating bool) func(context.Context, resource.Object, int64, bool) error {
	if !terminating {
		return nil
	}
	return func(_ context.Context, _ resource.Object, _ int64, deleted bool) error {
		if deleted {
			i.mu.Lock()
			defer i.mu.Unlock()
			if i.installed[name] != nil {
				i.work[name] = true
				i.signal()
			}
		}
		return nil
	}
}

// process does what is due for one CustomResourceDefinition, and returns whether to look at it again later.
func (i *Installer) process(ctx context.Context, name string) (again bool) {
	i.mu.Lock()
	now := i.installed[name]
	i.mu.Unlock()
	switch {
	case now == nil:
		return false
	case now.deleting():
		return i.terminate(ctx, now)
	}
	err := i.server.UpdateCRD(ctx, name, func(obj resource.Object) bool { return i.refreshStatus(obj, time.Now()) })
	if err != nil && ctx.Err() == nil {
		i.log.Error("names of a CustomResourceDefinition", "name", name, "err", err)
	}
	return err != nil
}

// refreshStatus brings the status of a stored obj up to date: the names that it could not have before, and what is
// known of it if it came into the store by itself. It returns whether that changed something.
func (i *Installer) refreshStatus(obj resource.Object, now time.Time) (changed bool) {
	s, err := readStatus(obj, now)
	if err != nil {
		return false
	}
	before := s.Status.DeepCopy()
	s.refresh(i.namesUsed(s.CustomResourceDefinition), s.Generation)
	if whole, err := typed(obj); err == nil {
		s.noteStructure(whole)
	}
	if apiequality.Semantic.DeepEqual(*before, s.Status) {
		return false
	}
	s.write(obj)
	return true
}

// writeStatus sets the status of obj, which a client writes, as it is to be once obj is stored as that generation.
func (i *Installer) writeStatus(obj resource.Object, generation int64, now time.Time) {
	s, err := readStatus(obj, now)
	if err != nil {
		return
	}
	s.noteStorage()
	s.refresh(i.namesUsed(s.CustomResourceDefinition), generation)
	if spec, _ := obj["spec"].(map[string]any); spec["preserveUnknownFields"] == true || s.find(apiextensionsv1.NonStructuralSchema) != nil {
		if whole, err := typed(obj); err == nil {
			s.noteStructure(whole)
		}
	}
	s.write(obj)
}

// terminate deletes the instances, and lets the CustomResourceDefinition go when there are none left.
func (i *Installer) terminate(ctx context.Context, c *installed) (again bool) {
	terminating := apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.Terminating, Status: apiextensionsv1.ConditionTrue,
		Reason: "InstanceDeletionInProgress", Message: "CustomResource deletion is in progress",
	}
	err := i.setTerminating(ctx, c, terminating, false)
	remaining := 0
	if err == nil && c.def != nil {
		remaining, err = i.server.DeleteInstances(ctx, c.def)
		if err != nil {
			terminating.Reason = "InstanceDeletionFailed"
			terminating.Message = fmt.Sprintf("could not issue all deletes: %v", err)
		}
	}
	if err == nil && remaining == 0 {
		terminating.Status = apiextensionsv1.ConditionFalse
		terminating.Reason, terminating.Message = "InstanceDeletionCompleted", "removed all instances"
		if c.def == nil {
			terminating.Reason, terminating.Message = "NeverEstablished", "resource was never established"
		}
		err = i.setTerminating(ctx, c, terminating, true)
		if err == nil {
			return false
		}
	} else if ctx.Err() == nil {
		if remaining > 0 {
			terminating.Message = fmt.Sprintf("CustomResource deletion is in progress, %d remaining", remaining)
		}
		if writeErr := i.setTerminating(ctx, c, terminating, false); err == nil {
			err = writeErr
		}
	}
	if err != nil && ctx.Err() == nil {
		i.log.Error("deleting the instances of a CustomResourceDefinition", "name", c.name, "err", err)
	}
	return true
}

// setTerminating writes the condition, and with last removes the finalizer. A CustomResourceDefinition that was made
// again under the name meanwhile is left alone. A message of how many remain is not taken back by a vaguer one.
func (i *Installer) setTerminating(ctx context.Context, c *installed, condition apiextensionsv1.CustomResourceDefinitionCondition, last bool) error {
	return i.server.UpdateCRD(ctx, c.name, func(obj resource.Object) bool {
		s, err := readStatus(obj, time.Now())
		if err != nil || s.UID != c.Metadata.UID {
			return false
		}
		old := s.find(apiextensionsv1.Terminating)
		if old != nil && !last && old.Status == condition.Status && old.Reason == condition.Reason &&
			(old.Message == condition.Message || condition.Message == "CustomResource deletion is in progress") {
			return false
		}
		condition.ObservedGeneration = s.Generation
		s.set(condition)
		s.write(obj)
		if last {
			removeFinalizer(obj)
		}
		return true
	})
}

func removeFinalizer(obj resource.Object) {
	metadata, _ := obj["metadata"].(map[string]any)
	list, _ := metadata["finalizers"].([]any)
	kept := slices.DeleteFunc(slices.Clone(list), func(f any) bool { return f == finalizer })
	if len(kept) == 0 {
		delete(metadata, "finalizers")
		return
	}
	metadata["finalizers"] = kept
}
