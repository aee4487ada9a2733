package main

import (
	"context"
	"net/url"
	"os"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd starts an etcd of its own that listens for clients, and returns its URL.
func startEtcd(t *testing.T) string {
	t.Helper()
	c := embed.NewConfig()
	c.Dir, c.LogLevel = t.TempDir(), "fatal"
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	c.ListenClientUrls, c.ListenPeerUrls = []url.URL{anyPort}, []url.URL{anyPort}
	e, err := embed.StartEtcd(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-e.Server.ReadyNotify():
	case <-ctx.Done():
		t.Fatal("etcd is not ready")
	}
	return "http://" + e.Clients[0].Addr().String()
}

// TestExternalEtcd: two servers on one cluster serve the same objects, and one that stops leaves the controllers to the
// other.
func TestExternalEtcd(t *testing.T) {
	etcd := startEtcd(t)
	first := start(t, "--data-dir", t.TempDir(), "--etcd-servers", etcd)
	second := start(t, "--data-dir", t.TempDir(), "--etcd-servers", etcd)
	first.kubectl(t, "", "create", "configmap", "shared", "--from-literal=a=b")
	if got := second.kubectl(t, "", "get", "configmap", "shared", "-o", "jsonpath={.data.a}"); got != "b" {
		t.Errorf("the second server has %q", got)
	}
	first.stop(t, os.Interrupt)
	second.kubectl(t, "apiVersion: storagemigration.k8s.io/v1\nkind: StorageVersionMigration\nmetadata: {name: a}\nspec: {resource: {resource: configmaps}}",
		"create", "-f", "-")
	second.kubectl(t, "", "wait", "storageversionmigration/a", "--for=condition=Succeeded", "--timeout=60s")
	second.stop(t, os.Interrupt)
}
