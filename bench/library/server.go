package library

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	goruntime "runtime"
	"syscall"
	"time"

	"github.com/keelson-project/keelson/bench/load"
	"github.com/keelson-project/keelson/bench/target"
)

// filled is a server, in a process of its own, with objects.
type filled struct {
	dir     string
	running *target.Running
	client  *load.Client
}

var gadgets = load.Type{Plural: "gadgets"}

func gadget(i int) string { return fmt.Sprintf("gadget-%06d", i) }

// fill starts a server and stores gadgets in it.
func fill(ctx context.Context, binary string, objects int) (f *filled, err error) {
	dir, err := os.MkdirTemp("", "keelson-bench-")
	if err != nil {
		return nil, err
	}
	f = &filled{dir: dir}
	if f.running, err = (target.Keelson{Binary: binary}).Start(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	f.client = load.NewClient(f.running.URL, f.running.TLS, load.Options{Connections: 4})
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
			f = nil
		}
	}()
	_, err = f.client.Do(ctx, load.Request{Method: "POST", Path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Body: gadgets.CRD()})
	if err != nil {
		return f, err
	}
	_, err = load.Parallel(ctx, 32, objects, func(ctx context.Context, i int) error {
		_, err := f.client.Do(ctx, load.Request{Method: "POST", Path: gadgets.Collection(), Body: gadgets.Object(gadget(i), i, i)})
		return err
	})
	if err == nil { // the first list fills the server's cache
		_, err = f.client.Do(ctx, load.Request{Path: gadgets.Collection()})
	}
	return f, err
}

// close stops the server; nil has none.
func (f *filled) close() error {
	if f == nil {
		return nil
	}
	f.client.Close()
	return errors.Join(f.running.Stop(), os.RemoveAll(f.dir))
}

// transport is what the libraries speak over.
func (f *filled) transport() *http.Transport {
	return &http.Transport{TLSClientConfig: f.running.TLS.Clone(), ForceAttemptHTTP2: true}
}

// label changes a gadget.
func (f *filled) label(ctx context.Context, name, value string) error {
	_, err := f.client.Do(ctx, load.Request{Method: "PATCH", Path: gadgets.Collection() + "/" + name,
		Type: "application/merge-patch+json", Body: fmt.Appendf(nil, `{"metadata":{"labels":{"bench":%q}}}`, value)})
	return err
}

// used is what this process has used.
type used struct {
	cpu     time.Duration
	mallocs uint64
	heap    uint64 // live, after a collection
}

func usage() used {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	u := used{mallocs: m.Mallocs, cpu: cpu()}
	goruntime.GC()
	goruntime.GC() // what finalizers and pools held
	goruntime.ReadMemStats(&m)
	u.heap = m.HeapAlloc
	return u
}

// cpu is the user and system time of this process.
func cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
