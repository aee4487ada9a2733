package certs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-logr/logr"

	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/webhook/certs"
)

func ExampleNew() {
	// A program has the manager's client, and gives certificates to a webhook.Server, which runs them.
	c, _ := client.New(client.Config{Host: "https://10.0.0.1:6443"}, client.Options{})
	certificates, err := certs.New(certs.Options{
		Client: c, Secret: client.ObjectKey{Namespace: "shop", Name: "webhook"}, Hosts: []string{"webhook.shop.svc"},
		Targets: []certs.Target{certs.CustomResourceDefinition("websites.e.com"), certs.ValidatingWebhookConfiguration("shop")},
		Overlap: time.Hour,
	})
	fmt.Println(err)
	fmt.Println(certificates.Ready())
	// Output:
	// <nil>
	// certs: there is no certificate yet
}

func ExampleFromFiles() {
	certificates := certs.FromFiles("/etc/webhook/tls.crt", "/etc/webhook/tls.key", logr.Discard())
	server := httptest.NewUnstartedServer(http.NotFoundHandler()) // a program has a webhook.Server
	defer server.Close()
	fmt.Println(certificates.Run(canceled()), certificates.Ready() != nil)
	// Output: <nil> true
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
