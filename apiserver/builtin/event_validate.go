package builtin

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// The limits of the texts of an event, in bytes.
const (
	eventWordLimit = 128
	eventNoteLimit = 1024
)

func lower(s string) string { return strings.ToLower(s) }

// validateEvent checks an event in the words of one group. Events without eventTime are of the older style, which
// names less.
func validateEvent(w eventWords) func(ctx context.Context, obj, old resource.Object) field.ErrorList {
	return func(_ context.Context, obj, old resource.Object) field.ErrorList {
		namespace, about := text(obj, "metadata", "namespace"), text(obj, w.object, "namespace")
		mismatch := field.Invalid(field.NewPath("involvedObject", "namespace"), about, "does not match event.namespace")
		var errs field.ErrorList
		switch newStyle := text(obj, "eventTime") != ""; {
		case !newStyle && about == "" && namespace != "" && namespace != metav1.NamespaceDefault:
			errs = append(errs, mismatch)
		case !newStyle && about != "" && about != namespace:
			errs = append(errs, mismatch)
		case newStyle:
			if about == "" && namespace != metav1.NamespaceDefault && namespace != metav1.NamespaceSystem {
				errs = append(errs, mismatch)
			}
			errs = append(errs, validateNewEvent(obj, w)...)
		}
		errs = append(errs, each(field.NewPath("namespace"), namespace, utilvalidation.IsDNS1123Subdomain(namespace))...)
		if w.apiVersion == groupEventWords.apiVersion && old == nil {
			errs = append(errs, validateGroupEvent(obj, w)...)
		}
		return errs
	}
}

func validateNewEvent(obj resource.Object, w eventWords) field.ErrorList {
	var errs field.ErrorList
	controller, at := text(obj, w.controller), field.NewPath(w.controller)
	if controller == "" {
		errs = append(errs, field.Required(at, ""))
	}
	errs = append(errs, each(at, controller, utilvalidation.IsQualifiedName(controller))...)
	for _, name := range []string{"reportingInstance", "action", "reason"} {
		v, at := text(obj, name), field.NewPath(name)
		if v == "" {
			errs = append(errs, field.Required(at, ""))
		}
		if len(v) > eventWordLimit {
			errs = append(errs, field.Invalid(at, "", fmt.Sprintf("can have at most %v characters", eventWordLimit)))
		}
	}
	if len(text(obj, w.message)) > eventNoteLimit {
		errs = append(errs, field.Invalid(field.NewPath("message"), "", fmt.Sprintf("can have at most %v characters", eventNoteLimit)))
	}
	return errs
}

// validateGroupEvent holds for what is created through events.k8s.io. Field names are the core group's, as in
// Kubernetes.
func validateGroupEvent(obj resource.Object, w eventWords) field.ErrorList {
	var errs field.ErrorList
	if text(obj, "eventTime") == "" {
		errs = append(errs, field.Required(field.NewPath("eventTime"), ""))
	}
	if kind := text(obj, "type"); kind != "Normal" && kind != "Warning" {
		errs = append(errs, field.Invalid(field.NewPath("type"), "", fmt.Sprintf("has invalid value: %v", kind)))
	}
	if series := fieldsOf(obj, "series"); series != nil {
		if number(series, "count") < 2 {
			errs = append(errs, field.Invalid(field.NewPath("series", "count"), "", "should be at least 2"))
		}
		if text(series, "lastObservedTime") == "" {
			errs = append(errs, field.Required(field.NewPath("series", "lastObservedTime"), ""))
		}
	}
	for _, f := range []struct {
		name []string
		v    any
	}{
		{[]string{"firstTimestamp"}, obj[w.firstTimestamp]},
		{[]string{"lastTimestamp"}, obj[w.lastTimestamp]},
		{[]string{"count"}, obj[w.count]},
		{[]string{"source", "component"}, text(obj, w.source, "component")},
		{[]string{"source", "host"}, text(obj, w.source, "host")},
	} {
		if f.v != nil && f.v != "" && f.v != int64(0) {
			errs = append(errs, field.Invalid(field.NewPath(f.name[0], f.name[1:]...), "", "needs to be unset"))
		}
	}
	return errs
}
