package crd

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	crdvalidation "github.com/keelson-project/keelson/crd/validation"
)

// validateConversion checks spec.conversion.
func validateConversion(c *apiextensionsv1.CustomResourceConversion, at *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	switch c.Strategy {
	case "":
		return field.ErrorList{field.Required(at.Child("strategy"), "")}
	case apiextensionsv1.NoneConverter:
		if c.Webhook != nil {
			return field.ErrorList{field.Forbidden(at.Child("webhookClientConfig"), "should not be set when strategy is not set to Webhook")}
		}
		return nil
	case apiextensionsv1.WebhookConverter:
		return validateWebhook(c.Webhook, at)
	}
	return field.ErrorList{field.NotSupported(at.Child("strategy"), c.Strategy, []apiextensionsv1.ConversionStrategyType{apiextensionsv1.NoneConverter, apiextensionsv1.WebhookConverter})}
}

func validateWebhook(w *apiextensionsv1.WebhookConversion, at *field.Path) field.ErrorList {
	client := at.Child("webhookClientConfig")
	if w == nil || w.ClientConfig == nil {
		return field.ErrorList{field.Required(client, "required when strategy is set to Webhook")}
	}
	var errs field.ErrorList
	if (w.ClientConfig.URL == nil) == (w.ClientConfig.Service == nil) {
		errs = append(errs, field.Required(client, "exactly one of url or service is required"))
	}
	if u := w.ClientConfig.URL; u != nil {
		errs = append(errs, validateWebhookURL(*u, client.Child("url"))...)
	}
	if s := w.ClientConfig.Service; s != nil {
		errs = append(errs, validateWebhookService(s, client.Child("service"))...)
	}
	return append(errs, validateReviewVersions(w.ConversionReviewVersions, at.Child("conversionReviewVersions"))...)
}

const webhookURLForm = "; desired format: https://host[/path]"

func validateWebhookURL(raw string, at *field.Path) field.ErrorList {
	u, err := url.Parse(raw)
	if err != nil {
		return field.ErrorList{field.Required(at, "url must be a valid URL: "+err.Error()+webhookURLForm)}
	}
	var errs field.ErrorList
	if u.Scheme != "https" {
		errs = append(errs, field.Invalid(at, u.Scheme, "'https' is the only allowed URL scheme"+webhookURLForm))
	}
	if u.Host == "" {
		errs = append(errs, field.Invalid(at, u.Host, "host must be specified"+webhookURLForm))
	}
	if u.User != nil {
		errs = append(errs, field.Invalid(at, u.User.String(), "user information is not permitted in the URL"))
	}
	if u.Fragment != "" {
		errs = append(errs, field.Invalid(at, u.Fragment, "fragments are not permitted in the URL"))
	}
	if u.RawQuery != "" {
		errs = append(errs, field.Invalid(at, u.RawQuery, "query parameters are not permitted in the URL"))
	}
	return errs
}

func validateWebhookService(s *apiextensionsv1.ServiceReference, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), "service name is required"))
	}
	if s.Namespace == "" {
		errs = append(errs, field.Required(at.Child("namespace"), "service namespace is required"))
	}
	if s.Port != nil {
		for _, problem := range validation.IsValidPortNum(int(*s.Port)) {
			errs = append(errs, field.Invalid(at.Child("port"), *s.Port, "port is not valid: "+problem))
		}
	}
	if s.Path != nil && !strings.HasPrefix(*s.Path, "/") {
		errs = append(errs, field.Invalid(at.Child("path"), *s.Path, "must start with a '/'"))
	}
	return errs
}

func validateReviewVersions(versions []string, at *field.Path) field.ErrorList {
	if len(versions) == 0 {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, v := range versions {
		if seen[v] {
			errs = append(errs, field.Invalid(at.Index(i), v, "duplicate version"))
			continue
		}
		seen[v] = true
		for _, problem := range validation.IsDNS1035Label(v) {
			errs = append(errs, field.Invalid(at.Index(i), v, problem))
		}
	}
	if len(errs) == 0 && !slices.Contains(versions, "v1") && !slices.Contains(versions, "v1beta1") {
		errs = append(errs, field.Invalid(at, versions, fmt.Sprintf("must include at least one of %s", strings.Join([]string{"v1", "v1beta1"}, ", "))))
	}
	return errs
}

// collectFormats gathers the formats of a schema that Kubernetes does not know.
func collectFormats(p *apiextensionsv1.JSONSchemaProps, unknown map[string]bool) {
	if p == nil {
		return
	}
	if p.Format != "" && !crdvalidation.IsSupportedFormat(p.Type, p.Format) {
		unknown[p.Format] = true
	}
	if p.Items != nil {
		collectFormats(p.Items.Schema, unknown)
	}
	if p.AdditionalProperties != nil {
		collectFormats(p.AdditionalProperties.Schema, unknown)
	}
	for name := range p.Properties {
		child := p.Properties[name]
		collectFormats(&child, unknown)
	}
	collectFormats(p.Not, unknown)
	for _, list := range [][]apiextensionsv1.JSONSchemaProps{p.AllOf, p.AnyOf, p.OneOf} {
		for i := range list {
			collectFormats(&list[i], unknown)
		}
	}
}
