package library

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var (
	authorizerType    = cel.ObjectType("kubernetes.authorization.Authorizer")
	pathCheckType     = cel.ObjectType("kubernetes.authorization.PathCheck")
	groupCheckType    = cel.ObjectType("kubernetes.authorization.GroupCheck")
	resourceCheckType = cel.ObjectType("kubernetes.authorization.ResourceCheck")
	decisionType      = cel.ObjectType("kubernetes.authorization.Decision")
)

// authorization declares the functions of authorization checks. No rule of a custom resource has a value to call
// them on, but their names are taken and compilation speaks of them.
func authorization() []function {
	text := cel.StringType
	method := func(name, id string, result *cel.Type, args ...*cel.Type) function {
		return function{name, []cel.FunctionOpt{uncallable(id, result, args...)}}
	}
	return []function{
		method("path", "authorizer_path", pathCheckType, authorizerType, text),
		method("group", "authorizer_group", groupCheckType, authorizerType, text),
		method("serviceAccount", "authorizer_serviceaccount", authorizerType, authorizerType, text, text),
		method("resource", "groupcheck_resource", resourceCheckType, groupCheckType, text),
		method("subresource", "resourcecheck_subresource", resourceCheckType, resourceCheckType, text),
		method("namespace", "resourcecheck_namespace", resourceCheckType, resourceCheckType, text),
		method("name", "resourcecheck_name", resourceCheckType, resourceCheckType, text),
		method("fieldSelector", "authorizer_fieldselector", resourceCheckType, resourceCheckType, text),
		method("labelSelector", "authorizer_labelselector", resourceCheckType, resourceCheckType, text),
		{"check", []cel.FunctionOpt{
			uncallable("pathcheck_check", decisionType, pathCheckType, text),
			uncallable("resourcecheck_check", decisionType, resourceCheckType, text),
		}},
		method("errored", "decision_errored", cel.BoolType, decisionType),
		method("error", "decision_error", cel.StringType, decisionType),
		method("allowed", "decision_allowed", cel.BoolType, decisionType),
		method("reason", "decision_reason", cel.StringType, decisionType),
	}
}

func uncallable(id string, result *cel.Type, args ...*cel.Type) cel.FunctionOpt {
	return member(id, args, result, cel.FunctionBinding(func(...ref.Val) ref.Val { return types.NoSuchOverloadErr() }))
}
