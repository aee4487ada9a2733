package storageversionmigration_test

import (
	"context"
	"fmt"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/controllers/storageversionmigration"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

func Example() {
	cfg, stop := server()
	defer stop()

	scheme := kruntime.NewScheme()
	if err := storageversionmigration.AddToScheme(scheme); err != nil {
		panic(err)
	}
	mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	if err := storageversionmigration.Setup(mgr, storageversionmigration.Options{}); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- mgr.Run(ctx) }()

	migration := &storagemigrationv1.StorageVersionMigration{ObjectMeta: metav1.ObjectMeta{Name: "namespaces"}}
	migration.Spec.Resource = metav1.GroupResource{Resource: "namespaces"}
	if err := mgr.Direct().Create(ctx, migration); err != nil {
		panic(err)
	}
	watch, err := mgr.Direct().Watch(ctx, &storagemigrationv1.StorageVersionMigrationList{})
	if err != nil {
		panic(err)
	}
	defer watch.Close()
	for {
		_, obj, err := watch.Next(ctx)
		if err != nil {
			panic(err)
		}
		for _, c := range obj.(*storagemigrationv1.StorageVersionMigration).Status.Conditions {
			if c.Type == string(storagemigrationv1.MigrationSucceeded) {
				fmt.Println(c.Type, c.Status, c.Message)
				cancel()
				fmt.Println(<-ran)
				return
			}
		}
	}
	// Output:
	// Succeeded True Migration completed
	// <nil>
}

// server starts a server in this process. Any other Kubernetes would do.
func server() (cfg client.Config, stop func()) {
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
	return client.Config{Host: "http://server", Transport: apiserver.Transport(s), BearerToken: "secret"}, func() {
		cancel()
		if err := <-ran; err != nil {
			panic(err)
		}
		_ = store.Close()
	}
}
