package storagetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }

// bent is a memory store that breaks a promise. What is nil is as it should be.
type bent struct {
	storage.Store
	get     func(context.Context, storage.Store, string, storage.GetOptions) (storage.GetResponse, error)
	list    func(context.Context, storage.Store, string, storage.ListOptions) (storage.ListResponse, error)
	put     func(context.Context, storage.Store, string, []byte, storage.Revision, storage.PutOptions) (storage.Revision, error)
	delete  func(context.Context, storage.Store, string, storage.Revision) (storage.Revision, error)
	watch   func(context.Context, storage.Store, string, storage.WatchOptions) <-chan storage.WatchResponse
	request func() error
	compact func(context.Context, storage.Store, storage.Revision) error
	close   func(storage.Store) error
}

func (b *bent) Get(ctx context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	if b.get == nil {
		return b.Store.Get(ctx, key, o)
	}
	return b.get(ctx, b.Store, key, o)
}

func (b *bent) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	if b.list == nil {
		return b.Store.List(ctx, prefix, o)
	}
	return b.list(ctx, b.Store, prefix, o)
}

func (b *bent) Put(ctx context.Context, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
	if b.put == nil {
		return b.Store.Put(ctx, key, value, expected, o)
	}
	return b.put(ctx, b.Store, key, value, expected, o)
}

func (b *bent) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	if b.delete == nil {
		return b.Store.Delete(ctx, key, expected)
	}
	return b.delete(ctx, b.Store, key, expected)
}

func (b *bent) Watch(ctx context.Context, prefix string, o storage.WatchOptions) <-chan storage.WatchResponse {
	if b.watch == nil {
		return b.Store.Watch(ctx, prefix, o)
	}
	return b.watch(ctx, b.Store, prefix, o)
}

func (b *bent) RequestProgress(ctx context.Context) error {
	if b.request == nil {
		return b.Store.RequestProgress(ctx)
	}
	return b.request()
}

func (b *bent) Compact(ctx context.Context, rev storage.Revision) error {
	if b.compact == nil {
		return b.Store.Compact(ctx, rev)
	}
	return b.compact(ctx, b.Store, rev)
}

func (b *bent) Close() error {
	if b.close == nil {
		return b.Store.Close()
	}
	return b.close(b.Store)
}

const bendVariable = "STORAGETEST_BEND"

// TestBent is the suite on a bent store, in a process of its own.
func TestBent(t *testing.T) {
	name := os.Getenv(bendVariable)
	if name == "" {
		t.Skip("part of TestSuiteNotices")
	}
	storagetest.Run(t, func(*testing.T) storage.Store {
		b := bends()[name].store
		b.Store = memory.New(memory.Options{})
		return &b
	})
}

// TestSuiteNotices: a store that breaks a promise fails the clauses about it.
func TestSuiteNotices(t *testing.T) {
	for name, bend := range bends() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, clause := range bend.clauses {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBent$/"+clause, "-test.timeout=10s")
				cmd.Env = append(os.Environ(), bendVariable+"="+name)
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: TestBent/"+strings.Trim(clause, "^$")) {
					t.Errorf("%s was not noticed: %v\n%s", clause, err, out)
				}
			}
		})
	}
}
