// Website is a sample operator: it gives each Website a ConfigMap with its page and a Deployment that serves it.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/kubeconfig"
	v1 "github.com/keelson-project/keelson/samples/website/v1"
)

//go:generate go run ../../cmd/keelson crd types crd.yaml -o . --single-group

//go:embed crd.yaml
var crd []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := kubeconfig.Load("")
	if err == nil {
		err = run(ctx, cfg, logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "website:", err)
		os.Exit(1)
	}
}

// run installs the CRD and reconciles until ctx ends.
func run(ctx context.Context, cfg client.Config, log logr.Logger) error {
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, v1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme, FieldOwner: "website", Logger: log})
	if err != nil {
		return err
	}
	if err := install(ctx, mgr.Direct()); err != nil {
		return fmt.Errorf("installing the CRD: %w", err)
	}
	if err := setup(mgr); err != nil {
		return err
	}
	return mgr.Run(ctx)
}

// install applies the CRD, over what an earlier version of this program has left.
func install(ctx context.Context, c client.Client) error {
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(crd, obj); err != nil {
		return err
	}
	return c.Apply(ctx, obj, client.ForceOwnership)
}
