package rules

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

func ruleReasons() []string {
	return []string{"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"}
}

// validateExpressions checks x-kubernetes-validations as far as that needs no CEL.
func validateExpressions(path *field.Path, p *props) field.ErrorList {
	var errs field.ErrorList
	for i := range p.XValidations {
		rule, at := &p.XValidations[i], path.Child("x-kubernetes-validations").Index(i)
		text, message := strings.TrimSpace(rule.Rule), strings.TrimSpace(rule.Message)
		switch {
		case text == "":
			errs = append(errs, field.Required(at.Child("rule"), "rule is not specified"))
		case rule.Message != "" && message == "":
			errs = append(errs, field.Invalid(at.Child("message"), rule.Message, "must be non-empty if specified"))
		case hasNewline(message):
			errs = append(errs, field.Invalid(at.Child("message"), rule.Message, "must not contain line breaks"))
		case hasNewline(text) && message == "":
			errs = append(errs, field.Required(at.Child("message"), "message must be specified if rule contains line breaks"))
		}
		if rule.MessageExpression != "" && strings.TrimSpace(rule.MessageExpression) == "" {
			errs = append(errs, field.Required(at.Child("messageExpression"), "messageExpression must be non-empty if specified"))
		}
		if rule.Reason != nil && !slices.Contains(ruleReasons(), string(*rule.Reason)) {
			errs = append(errs, field.NotSupported(at.Child("reason"), *rule.Reason, ruleReasons()))
		}
		errs = append(errs, validateFieldPath(at.Child("fieldPath"), rule.FieldPath, p)...)
	}
	return errs
}

func validateFieldPath(at *field.Path, path string, p *props) field.ErrorList {
	if path == "" {
		return nil
	}
	var errs field.ErrorList
	if strings.TrimSpace(path) == "" {
		errs = append(errs, field.Invalid(at, path, "must be non-empty if specified"))
	}
	if hasNewline(path) {
		errs = append(errs, field.Invalid(at, path, "must not contain line breaks"))
	}
	if s, err := schema.New(p); err == nil {
		if _, _, err := schema.FieldPath(path, s, true); err != nil {
			errs = append(errs, field.Invalid(at, path, "must be a valid path"))
		}
	}
	return errs
}

func hasNewline(s string) bool { return strings.ContainsAny(s, "\n\r") }
