package target

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Kubernetes is etcd and kube-apiserver with the flags that kubeadm gives them, as far as they matter without
// kubelets: TLS and client certificates everywhere, RBAC, the default admission plugins and NodeRestriction,
// service account keys, fsync on.
type Kubernetes struct {
	Apiserver, Etcd string // binaries
}

// Name implements Target.
func (Kubernetes) Name() string { return "kube-apiserver + etcd" }

// Start implements Target. etcd is ready before kube-apiserver, whose start is timed.
func (k Kubernetes) Start(ctx context.Context, dir string) (*Running, error) {
	pki, err := kubernetesPKI(filepath.Join(dir, "pki"))
	if err != nil {
		return nil, err
	}
	conf, err := pki.client("admin")
	if err != nil {
		return nil, err
	}
	r := &Running{TLS: conf}
	etcdURL, err := k.startEtcd(ctx, r, pki, dir)
	if err == nil {
		err = k.startApiserver(ctx, r, pki, dir, etcdURL)
	}
	if err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// kubernetesPKI signs everything with one authority, where kubeadm has three: that costs no server anything.
func kubernetesPKI(dir string) (*authority, error) {
	a, err := newAuthority(dir)
	if err != nil {
		return nil, err
	}
	for name, subject := range map[string]pkix.Name{
		"etcd":             {CommonName: "etcd"},
		"apiserver":        {CommonName: "kube-apiserver"},
		"etcd-client":      {CommonName: "kube-apiserver-etcd-client"},
		"kubelet-client":   {CommonName: "kube-apiserver-kubelet-client", Organization: []string{"system:masters"}},
		"front-proxy":      {CommonName: "front-proxy-client"},
		"service-accounts": {CommonName: "service-accounts"},
		"admin":            {CommonName: "admin", Organization: []string{"system:masters"}},
	} {
		if err := a.sign(name, subject); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// client returns what a client needs to call as the holder of NAME.crt.
func (a *authority) client(name string) (*tls.Config, error) {
	var pems [3][]byte
	for i, file := range []string{"ca.crt", name + ".crt", name + ".key"} {
		b, err := os.ReadFile(a.path(file))
		if err != nil {
			return nil, err
		}
		pems[i] = b
	}
	return clientTLS(pems[0], pems[1], pems[2])
}

func (k Kubernetes) startEtcd(ctx context.Context, r *Running, pki *authority, dir string) (string, error) {
	client, err := freePort()
	if err != nil {
		return "", err
	}
	peer, err := freePort()
	if err != nil {
		return "", err
	}
	url := fmt.Sprintf("https://127.0.0.1:%d", client)
	peerURL := fmt.Sprintf("https://127.0.0.1:%d", peer)
	p, err := startProcess(dir, k.Etcd,
		"--name=bench",
		"--data-dir="+filepath.Join(dir, "etcd"),
		"--listen-client-urls="+url,
		"--advertise-client-urls="+url,
		"--listen-peer-urls="+peerURL,
		"--initial-advertise-peer-urls="+peerURL,
		"--initial-cluster=bench="+peerURL,
		"--client-cert-auth=true",
		"--trusted-ca-file="+pki.path("ca.crt"),
		"--cert-file="+pki.path("etcd.crt"),
		"--key-file="+pki.path("etcd.key"),
		"--peer-client-cert-auth=true",
		"--peer-trusted-ca-file="+pki.path("ca.crt"),
		"--peer-cert-file="+pki.path("etcd.crt"),
		"--peer-key-file="+pki.path("etcd.key"),
		"--snapshot-count=10000",
		"--feature-gates=InitialCorruptCheck=true",
		"--watch-progress-notify-interval=5s",
	)
	if err != nil {
		return "", err
	}
	r.processes = append(r.processes, p)
	conf, err := pki.client("etcd-client")
	if err != nil {
		return "", err
	}
	return url, waitReady(ctx, p, url+"/health", conf)
}

func (k Kubernetes) startApiserver(ctx context.Context, r *Running, pki *authority, dir, etcdURL string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	start := time.Now()
	p, err := startProcess(dir, k.Apiserver,
		"--advertise-address=192.0.2.1", // loopback is refused; nobody connects to it
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--enable-bootstrap-token-auth=true",
		"--client-ca-file="+pki.path("ca.crt"),
		"--tls-cert-file="+pki.path("apiserver.crt"),
		"--tls-private-key-file="+pki.path("apiserver.key"),
		"--etcd-servers="+etcdURL,
		"--etcd-cafile="+pki.path("ca.crt"),
		"--etcd-certfile="+pki.path("etcd-client.crt"),
		"--etcd-keyfile="+pki.path("etcd-client.key"),
		"--kubelet-client-certificate="+pki.path("kubelet-client.crt"),
		"--kubelet-client-key="+pki.path("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
		"--proxy-client-cert-file="+pki.path("front-proxy.crt"),
		"--proxy-client-key-file="+pki.path("front-proxy.key"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-client-ca-file="+pki.path("ca.crt"),
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+pki.path("service-accounts.pub"),
		"--service-account-signing-key-file="+pki.path("service-accounts.key"),
		"--service-cluster-ip-range=10.96.0.0/12",
		"--cert-dir="+filepath.Join(dir, "certs"),
	)
	if err != nil {
		return err
	}
	r.processes = append(r.processes, p)
	r.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
	err = waitReady(ctx, p, r.URL+"/readyz", r.TLS)
	r.Ready = time.Since(start)
	return err
}
