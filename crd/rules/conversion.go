package rules

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateConversion checks spec.conversion. The paths are those of the older form, in which clientConfig was called
// webhookClientConfig and what is in webhook today stood beside it.
func validateConversion(c *apiextensionsv1.CustomResourceConversion, r *requirements, at *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	strategies := []string{string(apiextensionsv1.NoneConverter), string(apiextensionsv1.WebhookConverter)}
	errs := validateChoice(string(c.Strategy), strategies, at.Child("strategy"))
	var client *apiextensionsv1.WebhookClientConfig
	var reviews []string
	if c.Webhook != nil {
		client, reviews = c.Webhook.ClientConfig, c.Webhook.ConversionReviewVersions
	}
	clientAt, reviewsAt := at.Child("webhookClientConfig"), at.Child("conversionReviewVersions")
	if c.Strategy == apiextensionsv1.WebhookConverter {
		errs = append(errs, validateClient(client, r, clientAt)...)
		return append(errs, validateReviews(reviews, r, reviewsAt)...)
	}
	const unused = "should not be set when strategy is not set to Webhook"
	if client != nil {
		errs = append(errs, field.Forbidden(clientAt, unused))
	}
	if len(reviews) > 0 {
		errs = append(errs, field.Forbidden(reviewsAt, unused))
	}
	return errs
}

func validateClient(c *apiextensionsv1.WebhookClientConfig, r *requirements, at *field.Path) field.ErrorList {
	if c == nil {
		return field.ErrorList{field.Required(at, "required when strategy is set to Webhook")}
	}
	var errs field.ErrorList
	switch {
	case (c.URL == nil) == (c.Service == nil):
		errs = append(errs, field.Required(at, "exactly one of url or service is required"))
	case c.URL != nil:
		errs = append(errs, validateURL(*c.URL, at.Child("url"))...)
	default:
		errs = append(errs, validateService(c.Service, at.Child("service"))...)
	}
	if err := CheckCABundle(c.CABundle); err != nil && !r.invalidCABundle {
		errs = append(errs, field.Invalid(at.Child("caBundle"), c.CABundle, err.Error()))
	}
	return errs
}

func validateURL(raw string, at *field.Path) field.ErrorList {
	const form = "; desired format: https://host[/path]"
	u, err := url.Parse(raw)
	if err != nil {
		return field.ErrorList{field.Required(at, "url must be a valid URL: "+err.Error()+form)}
	}
	var errs field.ErrorList
	if u.Scheme != "https" {
		errs = append(errs, field.Invalid(at, u.Scheme, "'https' is the only allowed URL scheme"+form))
	}
	if u.Host == "" {
		errs = append(errs, field.Invalid(at, u.Host, "host must be specified"+form))
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

// validateService checks a reference to a service. A missing name is reported at namespace, and the other way round:
// kube-apiserver mixes them up, and clients see its paths.
func validateService(s *apiextensionsv1.ServiceReference, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Namespace == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	if s.Name == "" {
		errs = append(errs, field.Required(at.Child("namespace"), ""))
	}
	port := servicePort
	if s.Port != nil {
		port = *s.Port
	}
	if problems := validation.IsValidPortNum(int(port)); len(problems) > 0 {
		errs = append(errs, field.Invalid(at.Child("port"), port, "port is not valid: "+strings.Join(problems, ", ")))
	}
	if s.Path != nil {
		errs = append(errs, validateURLPath(*s.Path, at.Child("path"))...)
	}
	return errs
}

func validateURLPath(path string, at *field.Path) field.ErrorList {
	switch path {
	case "", "/":
		return nil
	case "//":
		return field.ErrorList{field.Invalid(at, path, "segment[0] may not be empty")}
	}
	var errs field.ErrorList
	if path[0] != '/' {
		errs = append(errs, field.Invalid(at, path, "must start with a '/'"))
	}
	for i, segment := range strings.Split(strings.TrimSuffix(path[1:], "/"), "/") {
		if segment == "" {
			errs = append(errs, field.Invalid(at, path, fmt.Sprintf("segment[%d] may not be empty", i)))
			continue
		}
		for _, problem := range validation.IsDNS1123Subdomain(segment) {
			errs = append(errs, field.Invalid(at, path, fmt.Sprintf("segment[%d]: %v", i, problem)))
		}
	}
	return errs
}

// reviewVersions are those of ConversionReview that a server sends.
func reviewVersions() []string { return []string{"v1", "v1beta1"} }

func recognizesReviews(w *apiextensionsv1.WebhookConversion) bool {
	return w == nil || len(w.ConversionReviewVersions) == 0 ||
		slices.ContainsFunc(w.ConversionReviewVersions, func(v string) bool { return slices.Contains(reviewVersions(), v) })
}

func validateReviews(versions []string, r *requirements, at *field.Path) field.ErrorList {
	if len(versions) == 0 {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	recognized, seen := false, map[string]bool{}
	for i, v := range versions {
		if seen[v] {
			errs = append(errs, field.Invalid(at.Index(i), v, "duplicate version"))
			continue
		}
		seen[v] = true
		for _, problem := range validation.IsDNS1035Label(v) {
			errs = append(errs, field.Invalid(at.Index(i), v, problem))
		}
		recognized = recognized || slices.Contains(reviewVersions(), v)
	}
	if r.recognizedReviews && !recognized {
		errs = append(errs, field.Invalid(at, versions, "must include at least one of "+strings.Join(reviewVersions(), ", ")))
	}
	return errs
}

// CheckCABundle says what is wrong with the certificates by which a webhook is to be known; none at all are fine (the
// system's are used).
func CheckCABundle(bundle []byte) error {
	if len(bundle) == 0 || x509.NewCertPool().AppendCertsFromPEM(bundle) {
		return nil
	}
	return fmt.Errorf("unable to load root certificates: %w", whyNoCertificates(bundle))
}

func whyNoCertificates(bundle []byte) error {
	for len(bundle) > 0 {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return errors.New("unable to parse bytes as PEM block")
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("failed to parse certificate: %w", err)
		}
	}
	return errors.New("no valid certificate authority data seen")
}
