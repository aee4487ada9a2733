package crd

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/conversion"
)

// Stored is one stored CustomResourceDefinition, as the server's watch of them delivers it.
type Stored struct {
	Name     string // metadata.name
	Data     []byte // as Pack made it; shared from then on, must not be changed
	Revision int64
}

// Server is what an Installer needs of the server around it to delete instances and to write status.
type Server interface {
	// DeleteInstances asks for the deletion of all objects of d, finalizers honoured, and returns how many are
	// left now (some may be waiting for their finalizers).
	DeleteInstances(ctx context.Context, d *resource.Definition) (remaining int, err error)
	// UpdateCRD changes status and finalizers of the stored CustomResourceDefinition of that name, by a
	// guaranteed update through its status subresource. change may be called several times and returns whether
	// there is something to store. A CustomResourceDefinition that does not exist is no error.
	UpdateCRD(ctx context.Context, name string, change func(crd resource.Object) bool) error
}

// Config of an Installer.
type Config struct {
	Catalog *resource.Catalog
	Server  Server // needed by Run only
	// Webhooks are how kinds with that strategy convert; nil: theirs by URL are reached, those behind Services not.
	Webhooks *conversion.Webhooks
	Log      *slog.Logger // nil discards
}

// Installer keeps a catalog in step with the stored CustomResourceDefinitions. Apply, Remove and Sync are called by
// one goroutine, in order of revision; everything else is safe for concurrent use.
type Installer struct {
	catalog  *resource.Catalog
	server   Server
	webhooks *conversion.Webhooks
	log      *slog.Logger

	mu sync.Mutex
	// installed by metadata.name; also those that are not served because of their names.
	installed map[string]*installed
	groups    map[string]*group // by spec.group
	// revision up to which the stored state has been applied.
	revision int64
	advanced chan struct{} // closed and replaced when revision grows
	// work holds the names that Run is to look at; wake has room for one token.
	work map[string]bool
	wake chan struct{}
}

// installed is what is known of one CustomResourceDefinition.
type installed struct {
	*head
	name     string
	serving  [sha256.Size]byte // of what the Definition was made of, see sums
	shape    [sha256.Size]byte // of what says how objects look
	since    int64             // revision of the write that made shape what it is, as far as that is known
	def      *resource.Definition
	revision int64
}

// NewInstaller returns an Installer that has applied nothing yet.
func NewInstaller(c Config) *Installer {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Webhooks == nil {
		c.Webhooks = conversion.NewWebhooks(conversion.Options{})
	}
	return &Installer{
		catalog: c.Catalog, server: c.Server, webhooks: c.Webhooks, log: c.Log,
		installed: map[string]*installed{}, groups: map[string]*group{},
		advanced: make(chan struct{}), work: map[string]bool{}, wake: make(chan struct{}, 1),
	}
}

// Apply brings the catalog in step with a CustomResourceDefinition that was written. One that cannot be served is
// logged and not served. A Definition is only made anew if something changed that it depends on.
func (i *Installer) Apply(s Stored) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.apply(s)
	i.advance(s.Revision)
}

// Remove ends the service of a kind whose CustomResourceDefinition was removed at revision.
func (i *Installer) Remove(name string, revision int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.remove(name)
	i.advance(revision)
}

// Sync makes the applied state equal to list, which is that of the store at revision.
func (i *Installer) Sync(list []Stored, revision int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	present := make(map[string]bool, len(list))
	for _, s := range list {
		present[s.Name] = true
		i.apply(s)
	}
	for name := range i.installed {
		if !present[name] {
			i.remove(name)
		}
	}
	i.advance(revision)
}

// Advance notes that nothing was written up to revision but what has been applied (watch progress).
func (i *Installer) Advance(revision int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.advance(revision)
}

// WaitFor returns when the state of the store at revision has been applied, or ctx ends.
func (i *Installer) WaitFor(ctx context.Context, revision int64) error {
	for {
		i.mu.Lock()
		done, advanced := i.revision >= revision, i.advanced
		i.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("waiting for CustomResourceDefinitions of revision %d: %w", revision, ctx.Err())
		}
	}
}

// The methods below require mu.

func (i *Installer) advance(revision int64) {
	if revision <= i.revision {
		return
	}
	i.revision = revision
	close(i.advanced)
	i.advanced = make(chan struct{})
}

func (i *Installer) apply(s Stored) {
	was := i.installed[s.Name]
	if was != nil && was.revision >= s.Revision && s.Revision > 0 {
		return
	}
	h, sum, err := parsePacked(s.Data)
	if err != nil {
		i.log.Error("stored CustomResourceDefinition does not decode", "name", s.Name, "err", err)
		i.remove(s.Name)
		return
	}
	now := &installed{head: h, name: s.Name, revision: s.Revision, since: s.Revision}
	now.shape, now.serving = sums(h, sum)
	h.print = string(now.serving[:])
	if was != nil && was.shape == now.shape {
		now.since = was.since
	}
	if was != nil && was.def != nil && was.serving == now.serving {
		now.def, now.schemas = was.def, was.schemas
	}
	i.note(now)
	i.serve(now)
	i.enqueue(now, was)
}

// sums identify what a Definition depends on: shape is that of its objects in all versions (the spec, of which sum is
// given, and how to convert between its versions), serving adds identity and state of service.
func sums(h *head, spec []byte) (shape, serving [sha256.Size]byte) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %q %x", h.Metadata.UID, h.Metadata.Annotations[conversion.RulesAnnotation], spec)
	sum.Sum(shape[:0])
	sum.Reset()
	fmt.Fprintf(sum, "%x %t %t %q", shape, h.served(), h.terminating(), h.Status.AcceptedNames)
	sum.Sum(serving[:0])
	return shape, serving
}

// served says whether the kind is to be served: its names were accepted once, or are now.
func (h *head) served() bool { return h.isTrue("NamesAccepted") || h.isTrue("Established") }

func (i *Installer) note(now *installed) {
	i.installed[now.name] = now
	g := i.groups[now.Spec.Group]
	if g == nil {
		g = newGroup()
		i.groups[now.Spec.Group] = g
	}
	g.put(now)
}

// serve puts the Definition of now into the catalog, if it may be there.
func (i *Installer) serve(now *installed) {
	if now.def != nil && i.catalog.Lookup(now.def.Group, now.def.Names.Plural) == now.def {
		return
	}
	if !now.served() {
		i.unserve(now)
		return
	}
	def, err := now.definition(i.webhooks)
	if err != nil {
		i.log.Error("CustomResourceDefinition cannot be served", "name", now.name, "err", err)
		return
	}
	if there := i.catalog.Lookup(def.Group, def.Names.Plural); there != nil && !there.Custom {
		i.log.Error("CustomResourceDefinition names a kind that the server has built in", "name", now.name)
		return
	}
	def.SchemaRevision = now.since
	def.Hooks.Stored = i.instanceStored(now.name, def.Terminating)
	now.def = def
	i.catalog.Put(def)
}

// unserve takes the Definition that was made of the CustomResourceDefinition of that name out of the catalog.
func (i *Installer) unserve(was *installed) {
	group, plural := was.Spec.Group, was.Spec.Names.Plural
	if there := i.catalog.Lookup(group, plural); there != nil && there.Custom {
		i.catalog.Remove(group, plural)
	}
}

func (i *Installer) remove(name string) {
	was := i.installed[name]
	if was == nil {
		return
	}
	delete(i.installed, name)
	delete(i.work, name)
	g := i.groups[was.Spec.Group]
	g.remove(name)
	if len(g.installed) == 0 {
		delete(i.groups, was.Spec.Group)
	}
	i.unserve(was)
	i.enqueueGroup(was.Spec.Group)
}
