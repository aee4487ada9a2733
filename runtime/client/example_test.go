package client_test

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/runtime/client"
)

// connect starts a server in this process; any Kubernetes would do.
func connect() (c *client.Direct, stop func()) {
	store := memory.New(memory.Options{})
	s, err := apiserver.New(apiserver.Config{
		Store: store, Authorizer: auth.MastersOnly{},
		Authenticator: auth.StaticToken("secret", auth.User{Name: "me", Groups: []string{auth.Masters}}),
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- s.Run(ctx) }()
	<-s.Ready()
	cfg := client.Config{Host: "http://server", Transport: apiserver.Transport(s), BearerToken: "secret"}
	if c, err = client.New(cfg, client.Options{Scheme: scheme(), FieldOwner: "example"}); err != nil {
		panic(err)
	}
	return c, func() {
		cancel()
		if err := <-ran; err != nil {
			panic(err)
		}
		_ = store.Close()
	}
}

func greeting(name, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Data: map[string]string{"text": text}}
}

func Example() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()

	cm := greeting("en", "hello")
	fmt.Println(c.Create(ctx, cm), cm.Kind, cm.UID != "")

	before := cm.DeepCopy()
	cm.Data["text"] = "good morning"
	fmt.Println(c.Patch(ctx, cm, client.MergeFrom(before)))

	// The same object without its type, and as no more than metadata.
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	fmt.Println(c.Get(ctx, client.KeyOf(cm), u), u.Object["data"])
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(u.GroupVersionKind())
	fmt.Println(c.Get(ctx, client.KeyOf(cm), m), m.UID == cm.UID)

	fmt.Println(c.Delete(ctx, m), c.Get(ctx, client.KeyOf(cm), cm))
	// Output:
	// <nil> ConfigMap true
	// <nil>
	// <nil> map[text:good morning]
	// <nil> true
	// <nil> GET /api/v1/namespaces/default/configmaps/en: configmaps "en" not found
}

func ExampleEach() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	for _, name := range []string{"de", "en", "fr"} {
		_ = c.Create(ctx, greeting(name, "hello"))
	}
	for cm, err := range client.Each[*corev1.ConfigMap](ctx, c, client.InNamespace("default"), client.Limit(2)) {
		fmt.Println(cm.Name, err)
	}
	// Output:
	// de <nil>
	// en <nil>
	// fr <nil>
}

func ExampleDirect_Watch() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	var list corev1.ConfigMapList
	_ = c.List(ctx, &list)
	watch, err := c.Watch(ctx, &list, client.ResourceVersion(list.ResourceVersion))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer watch.Close()
	_ = c.Create(ctx, greeting("en", "hello"))
	kind, obj, err := watch.Next(ctx)
	fmt.Println(kind, obj.GetName(), err)
	// Output: ADDED en <nil>
}

func ExampleDirect_Apply() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	_ = c.Create(ctx, greeting("en", "hello"), client.FieldOwner("somebody"))

	mine := greeting("en", "good morning")
	err := c.Apply(ctx, mine)
	fmt.Println(apierrors.IsConflict(err))
	fmt.Println(c.Apply(ctx, mine, client.ForceOwnership), mine.Data["text"])
	// Output:
	// true
	// <nil> good morning
}

func ExampleDirect_SubResource() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "blue"}}
	_ = c.Create(ctx, ns)
	ns.Status.Conditions = []corev1.NamespaceCondition{{Type: "Painted", Status: corev1.ConditionTrue}}
	fmt.Println(c.Status().Update(ctx, ns), ns.Status.Conditions[0].Type)

	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: "painter"}}
	_ = c.Create(ctx, account)
	err := c.SubResource("scale").Get(ctx, account, nil) // accounts have no scale
	fmt.Println(apierrors.IsNotFound(err))
	// Output:
	// <nil> Painted
	// true
}

func ExampleIntercept() {
	c, stop := connect()
	defer stop()
	logged := client.Intercept(c, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		err := next(ctx)
		fmt.Println(call, err)
		return err
	})
	refusing := client.Intercept(logged, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		if call.Verb == client.VerbDelete {
			return errors.New("nothing is deleted here")
		}
		return next(ctx)
	})
	_ = refusing.Create(context.Background(), greeting("en", "hello"))
	fmt.Println(refusing.Delete(context.Background(), greeting("en", "")))
	// Output:
	// create ConfigMap default/en <nil>
	// nothing is deleted here
}

func ExampleNamespaced() {
	c, stop := connect()
	defer stop()
	here := client.Namespaced(client.DryRun(c), "default")
	cm := greeting("en", "hello")
	cm.Namespace = ""
	fmt.Println(here.Create(context.Background(), cm), cm.Namespace)
	cm.Namespace = "elsewhere"
	fmt.Println(here.Delete(context.Background(), cm))
	// Output:
	// <nil> default
	// client: delete ConfigMap elsewhere/en: this client is one of namespace "default"
}

func ExampleWithFieldOwner() {
	c, stop := connect()
	defer stop()
	cm := greeting("en", "hello")
	_ = client.WithFieldOwner(c, "painter").Create(context.Background(), cm)
	fmt.Println(cm.ManagedFields[0].Manager)
	// Output: painter
}

func ExampleWithFieldValidation() {
	c, stop := connect()
	defer stop()
	odd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "default", "name": "odd"}, "dato": map[string]any{},
	}}
	err := client.WithFieldValidation(c, client.Strict).Create(context.Background(), odd)
	fmt.Println(apierrors.IsBadRequest(err))
	// Output: true
}

func ExampleSkipApplied() {
	c, stop := connect()
	defer stop()
	ctx := context.Background()
	// A cache would answer this. The runtime's Client has one.
	current := func(ctx context.Context, obj client.Object) (client.Object, error) {
		now := obj.DeepCopyObject().(client.Object)
		if err := c.Get(ctx, client.KeyOf(obj), now); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		return now, nil
	}
	quiet := client.SkipApplied(client.Intercept(c, func(ctx context.Context, call *client.Call, next func(context.Context) error) error {
		fmt.Println("sent:", call)
		return next(ctx)
	}), current)
	for _, text := range []string{"hello", "hello", "good morning"} {
		_ = quiet.Apply(ctx, greeting("en", text), client.FieldOwner("example"))
	}
	// Output:
	// sent: apply ConfigMap default/en
	// sent: apply ConfigMap default/en
}
