package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/runtime/client"
)

// Validator says whether objects of a type are well; warnings are told to the sender either way. An error is told as
// Refused says. RequestFrom(ctx) is the request.
type Validator[T client.Object] interface {
	ValidateCreate(ctx context.Context, obj T) (Warnings, error)
	ValidateUpdate(ctx context.Context, oldObj, newObj T) (Warnings, error)
	ValidateDelete(ctx context.Context, obj T) (Warnings, error)
}

// Defaulter fills in what an object that is created or updated leaves open. An error is told as Refused says.
// RequestFrom(ctx) is the request.
type Defaulter[T client.Object] interface {
	Default(ctx context.Context, obj T) error
}

// Validating is the Handler that a Validator makes. T is a pointer to a struct. Requests to connect pass.
func Validating[T client.Object](v Validator[T]) Handler {
	return HandlerFunc(func(ctx context.Context, req Request) Response {
		warnings, err, malformed := validate(context.WithValue(ctx, requestKey{}, &req), v, req)
		if malformed != nil {
			return Errored(http.StatusBadRequest, malformed)
		}
		if err != nil {
			return Refused(req, err).WithWarnings(warnings...)
		}
		return Allowed("").WithWarnings(warnings...)
	})
}

// validate asks v; err is its answer, malformed what kept it from being asked.
func validate[T client.Object](ctx context.Context, v Validator[T], req Request) (warnings Warnings, err, malformed error) {
	var obj, old T
	switch req.Operation {
	case admissionv1.Create, admissionv1.Update:
		if obj, malformed = decode[T](req.Object.Raw); malformed != nil {
			return nil, nil, malformed
		}
	case admissionv1.Connect:
		return nil, nil, nil
	case admissionv1.Delete:
	default:
		return nil, nil, fmt.Errorf("unknown operation %q", req.Operation)
	}
	if req.Operation != admissionv1.Create {
		if old, malformed = decode[T](req.OldObject.Raw); malformed != nil {
			return nil, nil, malformed
		}
	}
	switch req.Operation {
	case admissionv1.Create:
		warnings, err = v.ValidateCreate(ctx, obj)
	case admissionv1.Update:
		warnings, err = v.ValidateUpdate(ctx, old, obj)
	default:
		warnings, err = v.ValidateDelete(ctx, old)
	}
	return warnings, err, nil
}

// Defaulting is the Handler that a Defaulter makes: the patch holds what the Defaulter changed. T is a pointer to a
// struct. Requests to delete and to connect pass.
func Defaulting[T client.Object](d Defaulter[T]) Handler {
	return HandlerFunc(func(ctx context.Context, req Request) Response {
		if req.Operation == admissionv1.Delete || req.Operation == admissionv1.Connect {
			return Allowed("")
		}
		obj, err := decode[T](req.Object.Raw)
		if err != nil {
			return Errored(http.StatusBadRequest, err)
		}
		before, err := tree(obj)
		if err != nil {
			return Errored(http.StatusInternalServerError, err)
		}
		if err := d.Default(context.WithValue(ctx, requestKey{}, &req), obj); err != nil {
			return Refused(req, err)
		}
		after, err := tree(obj)
		if err != nil {
			return Errored(http.StatusInternalServerError, err)
		}
		if reflect.DeepEqual(before, after) {
			return Allowed("")
		}
		var raw map[string]any
		if err := utiljson.Unmarshal(req.Object.Raw, &raw); err != nil {
			return Errored(http.StatusBadRequest, err)
		}
		var changes differ
		changes.objects("", raw, carryObject(raw, before, after))
		return Patched("", changes...)
	})
}

// tree is an object as JSON has it.
func tree(obj client.Object) (map[string]any, error) {
	data, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, utiljson.Unmarshal(data, &out)
}

func decode[T client.Object](raw []byte) (T, error) {
	obj := reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
	if len(raw) == 0 {
		return obj, errors.New("there is no content to decode")
	}
	return obj, utiljson.Unmarshal(raw, obj)
}

// Refused refuses a request because of an error: with its Status where it has one (*apierrors.StatusError), as Invalid
// with causes where it consists of field errors, and as Denied otherwise.
func Refused(req Request, err error) Response {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		result := status.Status()
		return response(false, &result)
	}
	if list := fieldErrors(err); list != nil {
		result := apierrors.NewInvalid(schema.GroupKind{Group: req.Kind.Group, Kind: req.Kind.Kind}, req.Name, list).Status()
		return response(false, &result)
	}
	return Denied(err.Error())
}

// fieldErrors are those that err consists of, nil where there is anything else in it.
func fieldErrors(err error) field.ErrorList {
	var many []error
	switch e := err.(type) { //nolint:errorlint // it takes wrapped errors apart
	case *field.Error:
		return field.ErrorList{e}
	case utilerrors.Aggregate:
		many = e.Errors()
	case interface{ Unwrap() []error }:
		many = e.Unwrap()
	case interface{ Unwrap() error }:
		many = []error{e.Unwrap()}
	}
	var list field.ErrorList
	for _, e := range many {
		inner := fieldErrors(e)
		if inner == nil {
			return nil
		}
		list = append(list, inner...)
	}
	return list
}
