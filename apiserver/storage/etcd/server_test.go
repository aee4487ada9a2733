package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd"
)

// startEtcd starts an etcd of its own that listens for clients until the test ends, and returns its endpoints.
func startEtcd(t *testing.T, configure func(*embed.Config)) []string {
	t.Helper()
	c := etcdConfig(t.TempDir())
	if configure != nil {
		configure(c)
	}
	endpoints, stop, err := runEtcd(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return endpoints
}

func etcdConfig(dir string) *embed.Config {
	c := embed.NewConfig()
	c.Dir, c.LogLevel, c.UnsafeNoFsync = dir, "fatal", true
	c.TickMs, c.ElectionMs = 10, 50 // a member alone need not be patient
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	c.ListenClientUrls, c.ListenPeerUrls = []url.URL{anyPort}, []url.URL{anyPort}
	return c
}

func runEtcd(c *embed.Config) (endpoints []string, stop func(), err error) {
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, nil, err
	}
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	select {
	case <-e.Server.ReadyNotify():
	case <-timeout.C:
		e.Close()
		return nil, nil, errors.New("etcd is not ready")
	}
	return []string{c.ListenClientUrls[0].Scheme + "://" + e.Clients[0].Addr().String()}, e.Close, nil
}

// A Store in a cluster; here of one member, which the example starts.
func ExampleDial() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	endpoints, stop, err := runEtcd(etcdConfig(dir))
	if err != nil {
		panic(err)
	}
	defer stop()

	ctx := context.Background()
	store, err := etcd.Dial(ctx, etcd.Config{Endpoints: endpoints})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	if _, err := store.Put(ctx, "/registry/greeting", []byte("hello"), 0, storage.PutOptions{}); err != nil {
		panic(err)
	}
	r, err := store.List(ctx, "/registry/", storage.ListOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s = %s\n", r.KVs[0].Key, r.KVs[0].Value)
	// Output: /registry/greeting = hello
}
