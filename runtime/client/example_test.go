package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

func Example() {
	// Any Kubernetes server will do; this one knows a single object.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[string]string{
			"/api/v1": `{"resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true}]}`,
			"/api/v1/namespaces/default/configmaps/greeting": `{"metadata":{"name":"greeting"},"data":{"en":"hello"}}`,
		}[r.URL.Path])
	}))
	defer server.Close()

	c, err := client.New(client.Config{Host: server.URL}, client.Options{Scheme: scheme()})
	if err != nil {
		fmt.Println(err)
		return
	}
	var cm corev1.ConfigMap
	err = c.Get(context.Background(), client.ObjectKey{Namespace: "default", Name: "greeting"}, &cm)
	fmt.Println(cm.Kind, cm.Data["en"], err)
	// Output: ConfigMap hello <nil>
}
