package crd

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/conversion"
)

// convert gives d what brings objects from one version into another, where that takes more than another apiVersion.
func (h *head) convert(d *resource.Definition, webhooks *conversion.Webhooks) {
	if len(d.Versions) < 2 && len(h.Status.StoredVersions) < 2 {
		return
	}
	converter := h.converter(webhooks)
	if converter == nil {
		return
	}
	d.ConvertList = func(ctx context.Context, objs []resource.Object, version string) []resource.Converted {
		return converter.Convert(ctx, objs, d.APIVersion(version))
	}
	d.Convert = func(ctx context.Context, obj resource.Object, version string) (resource.Object, error) {
		c := converter.Convert(ctx, []resource.Object{obj}, d.APIVersion(version))[0]
		return c.Object, c.Err
	}
}

// converter is nil where versions differ in their apiVersion and schema only.
func (h *head) converter(webhooks *conversion.Webhooks) conversion.Converter {
	c := h.Spec.Conversion
	if c == nil || c.Strategy != apiextensionsv1.WebhookConverter || c.Webhook == nil || c.Webhook.ClientConfig == nil {
		return nil
	}
	from := c.Webhook.ClientConfig
	config := conversion.WebhookConfig{CABundle: from.CABundle, ReviewVersions: c.Webhook.ConversionReviewVersions}
	if from.URL != nil {
		config.URL = *from.URL
	}
	if s := from.Service; s != nil {
		config.Service = &conversion.Service{Namespace: s.Namespace, Name: s.Name}
		if s.Path != nil {
			config.Service.Path = *s.Path
		}
		if s.Port != nil {
			config.Service.Port = *s.Port
		}
	}
	return webhooks.Converter(config)
}
