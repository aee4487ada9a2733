// Command peer runs etcd and kube-apiserver (the binaries that ETCD and KUBE_APISERVER name) until it is interrupted,
// with their state in the directory that is its argument, and writes DIR/kubeconfig for an administrator. With it,
// what is said of Keelson can be tried on Kubernetes: KEELSON_COMPAT_KUBECONFIG=DIR/kubeconfig make compat
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/keelson-project/keelson/bench/target"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: peer
contexts: [{name: peer, context: {cluster: peer, user: admin}}]
clusters: [{name: peer, cluster: {server: %q, certificate-authority: pki/ca.crt}}]
users: [{name: admin, user: {client-certificate: pki/admin.crt, client-key: pki/admin.key}}]
`

func run(ctx context.Context, args []string) (err error) {
	k := target.Kubernetes{Apiserver: os.Getenv("KUBE_APISERVER"), Etcd: os.Getenv("ETCD")}
	if len(args) != 1 || k.Apiserver == "" || k.Etcd == "" {
		return errors.New("usage: KUBE_APISERVER=BINARY ETCD=BINARY peer EMPTY-DIRECTORY")
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	server, err := k.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, fmt.Appendf(nil, kubeconfig, server.URL), 0o600); err != nil {
		return err
	}
	fmt.Printf("server      %s\nkubeconfig  %s\n", server.URL, file)
	<-ctx.Done()
	return nil
}
