package openapi

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// path is one path of a document with its operations, in a form that v2 and v3 are both written from.
type path struct {
	path       string
	params     []param
	operations []operation
}

type param struct {
	name, in, kind, description string
	required                    bool
}

type operation struct {
	method, action  string // "post", "post"; "delete", "deletecollection"
	id, description string
	tag             string
	kind            schema.GroupVersionKind // zero: none
	params          []param
	body            string   // model of the request body; "": none
	patches         []string // media types of a patch body; nil: */*
	result          string   // model of the answer
	codes           []int
	watchable       bool // may be answered as a stream
}

// kindPaths are the paths of one version of d.
func kindPaths(d *resource.Definition, v *resource.Version) []path {
	b := pathBuilder{
		d: d, v: v, kind: d.GroupVersionKind(v.Name), model: modelName(d, v), list: listName(d, v),
		title: title(d.Group) + strings.ToUpper(v.Name[:1]) + v.Name[1:], tag: tag(d.Group) + "_" + v.Name,
	}
	root := "/" + groupVersionPath(d.Group, v.Name) + "/"
	collection := root + d.Names.Plural
	var params []param
	var out []path
	if d.Namespaced {
		out = append(out, b.everywhere(collection))
		collection = root + "namespaces/{namespace}/" + d.Names.Plural
		params = []param{namespaceParam}
		b.scope = "Namespaced"
	}
	out = append(out, b.collection(collection, params))
	item := append([]param{{name: "name", in: "path", kind: "string", required: true, description: "name of the " + d.Names.Kind}}, params...)
	out = append(out, b.item(collection+"/{name}", item))
	names := make([]string, 0, len(v.Subresources))
	for name := range v.Subresources {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, b.subresource(collection+"/{name}/"+name, name, item))
	}
	return out
}

// resourcesPath is the discovery document of a group and version.
func resourcesPath(group, version string) path {
	return path{
		path: "/" + groupVersionPath(group, version) + "/",
		operations: []operation{{
			method: "get", id: "get" + title(group) + strings.ToUpper(version[:1]) + version[1:] + "APIResources",
			description: "get available resources", tag: tag(group) + "_" + version, result: models.APIResourceList, codes: []int{200},
		}},
	}
}

type pathBuilder struct {
	d           *resource.Definition
	v           *resource.Version
	kind        schema.GroupVersionKind
	model, list string
	title, tag  string
	scope       string // "Namespaced" or ""
}

func (b *pathBuilder) operation(method, action, id, description string) operation {
	return operation{method: method, action: action, id: id, description: description, tag: b.tag, kind: b.kind, result: b.model, codes: []int{200}}
}

func (b *pathBuilder) name() string { return b.title + b.scope + b.d.Names.Kind }

func (b *pathBuilder) everywhere(at string) path {
	op := b.operation("get", "list", "list"+b.title+b.d.Names.Kind+"ForAllNamespaces", "list or watch objects of kind "+b.d.Names.Kind)
	op.result, op.watchable = b.list, true
	return path{path: at, params: slices.Concat(listParams, []param{prettyParam}), operations: []operation{op}}
}

func (b *pathBuilder) collection(at string, params []param) path {
	kind := b.d.Names.Kind
	list := b.operation("get", "list", "list"+b.name(), "list or watch objects of kind "+kind)
	list.result, list.watchable, list.params = b.list, true, listParams
	create := b.operation("post", "post", "create"+b.name(), "create a "+kind)
	create.body, create.params, create.codes = b.model, writeParams, []int{200, 201, 202}
	p := path{path: at, params: slices.Concat(params, []param{prettyParam}), operations: []operation{list, create}}
	if !b.d.NoDeleteCollection {
		del := b.operation("delete", "deletecollection", "delete"+b.title+"Collection"+b.scope+kind, "delete collection of "+kind)
		del.body, del.result, del.params = models.DeleteOptions, models.Status, deleteCollectionParams
		p.operations = append(p.operations, del)
	}
	return p
}

func (b *pathBuilder) item(at string, params []param) path {
	kind := b.d.Names.Kind
	get := b.operation("get", "get", "read"+b.name(), "read the specified "+kind)
	put := b.operation("put", "put", "replace"+b.name(), "replace the specified "+kind)
	put.body, put.params, put.codes = b.model, writeParams, []int{200, 201}
	del := b.operation("delete", "delete", "delete"+b.name(), "delete a "+kind)
	del.body, del.result, del.params, del.codes = models.DeleteOptions, models.Status, deleteParams, []int{200, 202}
	return path{
		path: at, params: slices.Concat(params, []param{prettyParam}),
		operations: []operation{get, put, b.patch("patch"+b.name(), "partially update the specified "+kind), del},
	}
}

func (b *pathBuilder) patch(id, description string) operation {
	op := b.operation("patch", "patch", id, description)
	op.body, op.params, op.codes = models.Patch, patchParams, []int{200, 201}
	op.patches = []string{"application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"}
	if b.v.GoType != nil {
		op.patches = append(op.patches, "application/strategic-merge-patch+json")
	}
	return op
}

func (b *pathBuilder) subresource(at, name string, params []param) path {
	sub := b.v.Subresources[name]
	of := *b
	if sub.Scale != nil {
		of.kind, of.model = schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}, models.Scale
	}
	suffix := strings.ToUpper(name[:1]) + name[1:]
	p := path{path: at, params: slices.Concat(params, []param{prettyParam})}
	serves := func(verb string) bool { return sub.Verbs == nil || slices.Contains(sub.Verbs, verb) }
	if serves("get") {
		p.operations = append(p.operations, of.operation("get", "get", "read"+b.name()+suffix, "read "+name+" of the specified "+b.d.Names.Kind))
	}
	if serves("update") {
		put := of.operation("put", "put", "replace"+b.name()+suffix, "replace "+name+" of the specified "+b.d.Names.Kind)
		put.body, put.params, put.codes = of.model, writeParams, []int{200, 201}
		p.operations = append(p.operations, put)
	}
	if serves("patch") {
		p.operations = append(p.operations, of.patch("patch"+b.name()+suffix, "partially update "+name+" of the specified "+b.d.Names.Kind))
	}
	return p
}

// words of a group's name: "events.k8s.io" is one, "stable.example.com" three.
func words(group string) []string {
	if group == "" {
		return []string{"core"}
	}
	return strings.FieldsFunc(strings.TrimSuffix(group, ".k8s.io"), func(r rune) bool { return r == '.' || r == '-' })
}

// title of a group in operation ids.
func title(group string) string {
	out := ""
	for _, w := range words(group) {
		out += strings.ToUpper(w[:1]) + w[1:]
	}
	return out
}

func tag(group string) string {
	t := title(group)
	return strings.ToLower(t[:1]) + t[1:]
}

// The parameters of requests, with the descriptions of the options' Go types.
var (
	prettyParam = param{
		name: "pretty", in: "query", kind: "string",
		description: "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
	}
	namespaceParam = param{
		name: "namespace", in: "path", kind: "string", required: true,
		description: "object name and auth scope, such as for teams and projects",
	}
	listParams = query(metav1.ListOptions{}.SwaggerDoc(), "allowWatchBookmarks boolean", "continue string", "fieldSelector string",
		"labelSelector string", "limit integer", "resourceVersion string", "resourceVersionMatch string", "sendInitialEvents boolean",
		"timeoutSeconds integer", "watch boolean")
	writeParams  = query(metav1.CreateOptions{}.SwaggerDoc(), "dryRun string", "fieldManager string", "fieldValidation string")
	patchParams  = query(metav1.PatchOptions{}.SwaggerDoc(), "dryRun string", "fieldManager string", "fieldValidation string", "force boolean")
	deleteParams = query(metav1.DeleteOptions{}.SwaggerDoc(), "dryRun string", "gracePeriodSeconds integer",
		"ignoreStoreReadErrorWithClusterBreakingPotential boolean", "orphanDependents boolean", "propagationPolicy string")
	deleteCollectionParams = sorted(slices.Concat(deleteParams, query(metav1.ListOptions{}.SwaggerDoc(), "continue string",
		"fieldSelector string", "labelSelector string", "limit integer", "resourceVersion string", "resourceVersionMatch string",
		"sendInitialEvents boolean", "timeoutSeconds integer")))
)

// query makes query parameters out of "name type" and the descriptions by name.
func query(doc map[string]string, fields ...string) []param {
	out := make([]param, 0, len(fields))
	for _, f := range fields {
		name, kind, _ := strings.Cut(f, " ")
		out = append(out, param{name: name, in: "query", kind: kind, description: doc[name]})
	}
	return out
}

func sorted(params []param) []param {
	slices.SortFunc(params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	return params
}
