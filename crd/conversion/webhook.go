package conversion

import (
	"context"
	"errors"
	"fmt"
	"time"

	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// WebhookConfig says where a kind's webhook is and what it understands: spec.conversion.webhook of a
// CustomResourceDefinition. Exactly one of URL and Service is set.
type WebhookConfig struct {
	URL     string
	Service *Service
	// CABundle is PEM of the certificates that the webhook's must come from; empty: those of the system.
	CABundle []byte
	// ReviewVersions are the versions of ConversionReview that the webhook takes; the first that is known here
	// (v1, v1beta1) is sent.
	ReviewVersions []string
}

// Service names a Service through which a webhook is reached, as HTTPS to NAME.NAMESPACE.svc.
type Service struct {
	Namespace, Name, Path string
	Port                  int32 // zero: 443
}

// Webhook converts by asking a webhook. It is safe for concurrent use.
type Webhook struct {
	clients *Webhooks
	config  WebhookConfig
}

// Convert implements Converter: one call for all objects that are not in the version already. Texts of errors are
// kube-apiserver's for one object, since that is how it converts.
func (w *Webhook) Convert(ctx context.Context, objs []resource.Object, apiVersion string) []resource.Converted {
	results := make([]resource.Converted, len(objs))
	waiting := make([]int, 0, len(objs))
	for i, obj := range objs {
		if obj["apiVersion"] == apiVersion {
			results[i].Object = obj
		} else {
			waiting = append(waiting, i)
		}
	}
	if len(waiting) == 0 {
		return results
	}
	fail := func(why func(kschema.GroupVersionKind) error) []resource.Converted {
		for _, i := range waiting {
			results[i].Err = why(gvkOf(objs[i]))
		}
		return results
	}
	start, failure := time.Now(), Failure("")
	defer func() {
		if w.clients.options.Observe != nil {
			w.clients.options.Observe(time.Since(start), failure)
		}
	}()
	asked := &review{uid: uuid.NewUUID(), apiVersion: apiVersion}
	if asked.version = reviewVersion(w.config.ReviewVersions); asked.version == "" {
		return fail(func(kschema.GroupVersionKind) error { return errors.New("no supported conversion review versions") })
	}
	for _, i := range waiting {
		asked.objects = append(asked.objects, objs[i])
	}
	answer, err := w.ask(ctx, asked)
	failure = CallFailed
	var converted [][]byte
	if err == nil {
		failure = AnswerMalformed
		converted, err = asked.decode(answer)
	}
	if err != nil {
		return fail(func(gvk kschema.GroupVersionKind) error {
			return fmt.Errorf("conversion webhook for %v failed: %v", gvk, err) //nolint:errorlint // what ended the call is not what ended the request
		})
	}
	if len(converted) != len(waiting) {
		failure = AnswerPartial
		return fail(func(gvk kschema.GroupVersionKind) error {
			return fmt.Errorf("conversion webhook for %v returned %d objects, expected %d", gvk, len(converted), len(waiting))
		})
	}
	failure = ""
	for n, i := range waiting {
		if results[i].Object, results[i].Err = accept(objs[i], converted[n], apiVersion); results[i].Err != nil {
			failure = ObjectInvalid
		}
	}
	return results
}

// ask sends the review and returns the answer.
func (w *Webhook) ask(ctx context.Context, r *review) ([]byte, error) {
	body, err := r.encode()
	if err != nil {
		return nil, err
	}
	client, err := w.clients.client(&w.config)
	if err != nil {
		return nil, err
	}
	return client.post(ctx, body)
}
