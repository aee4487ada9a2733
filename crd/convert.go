package crd

import (
	"context"
	"fmt"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/cel"
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

// converter is nil where versions differ in their apiVersion and schema only. Conversion rules go before spec.conversion.
func (h *head) converter(webhooks *conversion.Webhooks) conversion.Converter {
	if text := h.Metadata.Annotations[conversion.RulesAnnotation]; text != "" {
		return &lazyRules{text: text}
	}
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

// lazyRules are parsed when the first object is converted.
type lazyRules struct {
	text  string
	once  sync.Once
	rules *conversion.Rules
	err   error
}

// Convert implements conversion.Converter.
func (l *lazyRules) Convert(ctx context.Context, objs []resource.Object, apiVersion string) []resource.Converted {
	l.once.Do(func() { l.rules, l.err = conversion.ParseRules(l.text, compileExpression) })
	if l.err == nil {
		return l.rules.Convert(ctx, objs, apiVersion)
	}
	out := make([]resource.Converted, len(objs))
	for i := range out {
		out[i].Err = fmt.Errorf("the conversion rules cannot be used: %w", l.err)
	}
	return out
}

func compileExpression(text string) (conversion.Expression, error) {
	return cel.CompileExpression(text)
}

// validateConversion checks the conversion rules, if a writer has changed them or the spec.
func validateConversion(ctx context.Context, obj, old resource.Object) field.ErrorList {
	if rulesOf(obj) == nil || old != nil && rulesOf(obj) == rulesOf(old) && !specOfKindChanged(obj, old) {
		return nil
	}
	c, err := typed(obj)
	if err != nil {
		return nil // validation of the schema tells
	}
	return conversion.Validate(ctx, c, compileExpression)
}

// rulesOf is the text of the annotation, nil where there is none.
func rulesOf(obj resource.Object) any {
	metadata, _ := obj["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	return annotations[conversion.RulesAnnotation]
}
