package apiserver_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// outage is a store that can go away and come back: a real one, behind a line that can be cut.
type outage struct {
	storage.Store
	mu   sync.Mutex
	down chan struct{} // closed while the line is cut
	up   bool
}

func newOutage(s storage.Store) *outage {
	return &outage{Store: s, down: make(chan struct{}), up: true}
}

func (o *outage) cut()  { o.mu.Lock(); o.up = false; close(o.down); o.mu.Unlock() }
func (o *outage) mend() { o.mu.Lock(); o.up, o.down = true, make(chan struct{}); o.mu.Unlock() }

func (o *outage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.up {
		return nil
	}
	return storage.ErrUnavailable
}

func (o *outage) Get(ctx context.Context, key string, g storage.GetOptions) (storage.GetResponse, error) {
	if err := o.err(); err != nil {
		return storage.GetResponse{}, err
	}
	return o.Store.Get(ctx, key, g)
}

func (o *outage) List(ctx context.Context, prefix string, l storage.ListOptions) (storage.ListResponse, error) {
	if err := o.err(); err != nil {
		return storage.ListResponse{}, err
	}
	return o.Store.List(ctx, prefix, l)
}

func (o *outage) Put(ctx context.Context, key string, value []byte, expected storage.Revision, p storage.PutOptions) (storage.Revision, error) {
	if err := o.err(); err != nil {
		return 0, err
	}
	return o.Store.Put(ctx, key, value, expected, p)
}

func (o *outage) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	if err := o.err(); err != nil {
		return 0, err
	}
	return o.Store.Delete(ctx, key, expected)
}

func (o *outage) Revision(ctx context.Context) (storage.Revision, error) {
	if err := o.err(); err != nil {
		return 0, err
	}
	return o.Store.Revision(ctx)
}

func (o *outage) Watch(ctx context.Context, prefix string, w storage.WatchOptions) <-chan storage.WatchResponse {
	out := make(chan storage.WatchResponse)
	o.mu.Lock()
	down := o.down
	o.mu.Unlock()
	inner, cancel := context.WithCancel(ctx)
	events := o.Store.Watch(inner, prefix, w)
	go func() {
		defer close(out)
		defer cancel()
		for {
			select {
			case r, ok := <-events:
				if !ok {
					return
				}
				select {
				case out <- r:
				case <-ctx.Done():
					return
				}
			case <-down:
				select {
				case out <- storage.WatchResponse{Err: storage.ErrUnavailable}:
				case <-ctx.Done():
				}
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// TestStoreGoesAwayAndReturns: while the store is away, reads and writes get a Status of 500 or 503 and readiness
// fails; when it is back, everything works again without a restart, and an open watch has missed nothing.
func TestStoreGoesAwayAndReturns(t *testing.T) {
	g := NewWithT(t)
	store := newOutage(memory.New(memory.Options{}))
	s := apiservertest.Start(t, apiservertest.Options{Store: store})
	do := func(method, path, body string) answer { return sendTo(g, s, method, path, body) }
	maps := "/api/v1/namespaces/default/configmaps"
	g.Expect(do("POST", maps, `{"metadata":{"name":"before"}}`).code).To(Equal(201))

	store.cut()
	for _, a := range []answer{
		do("POST", maps, `{"metadata":{"name":"during"}}`), do("GET", maps, ""), do("GET", maps+"/before", ""),
		do("DELETE", maps+"/before", ""), do("PUT", maps+"/before", `{"metadata":{"name":"before"},"data":{"a":"b"}}`),
	} {
		g.Expect(a.code).To(BeElementOf(http.StatusInternalServerError, http.StatusServiceUnavailable), a.body)
		g.Expect(a.at("kind")).To(Equal("Status"))
	}
	g.Expect(do("GET", "/readyz", "").code).To(Equal(500))

	store.mend()
	g.Eventually(func() int { return do("GET", maps, "").code }).WithTimeout(patience).Should(Equal(200))
	g.Expect(do("POST", maps, `{"metadata":{"name":"after"}}`).code).To(Equal(201))
	g.Expect(do("GET", maps+"/during", "").code).To(Equal(404))
	g.Eventually(func() int { return len(do("GET", maps, "").at("items").([]any)) }).WithTimeout(patience).Should(Equal(2))
	g.Expect(do("GET", "/readyz", "").code).To(Equal(200))
}
