package openapi

import (
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// The models that operations refer to.
const (
	deleteOptions = models.DeleteOptions
	patchModel    = models.Patch
)

// path is one path of a document with its operations, in a form that v2 and v3 are both written from.
type path struct {
	path       string
	params     params
	operations []operation
}

type operation struct {
	method, action  string // "post", "post"; "delete", "deletecollection"
	id, description string
	tag             string
	kind            schema.GroupVersionKind // zero: none
	params          params
	body            string // model of the request body; "": none
	optional        bool   // of the body
	consumes        []string
	produces        []string
	result          string // model of the answer
	codes           []int
}

// Media types of requests and answers. Custom and built-in kinds take and give the same, but Kubernetes publishes it in
// two ways.
var (
	mediaTypes     = []string{"application/json", "application/yaml"}
	watchTypes     = []string{"application/json", "application/yaml", "application/json;stream=watch"}
	anyType        = []string{"*/*"}
	customPatches  = []string{"application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"}
	builtinPatches = []string{"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"}
)

// kindPaths are the paths of one version of d.
func (t *paramTexts) kindPaths(d *resource.Definition, v *resource.Version) []path {
	b := pathBuilder{
		paramTexts: t, d: d, v: v, kind: d.GroupVersionKind(v.Name), model: modelName(d, v), list: listName(d, v),
		group: identifier(strings.TrimSuffix(groupOrCore(d.Group), ".k8s.io"), true) + identifier(v.Name, true), tag: tag(d.Group, v.Name),
		consumes: mediaTypes, lists: mediaTypes,
	}
	if !d.Custom {
		b.consumes, b.lists = anyType, watchTypes
	}
	root := "/" + groupVersionPath(d.Group, v.Name) + "/"
	collection := root + d.Names.Plural
	out := make([]path, 0, 5)
	scope := t.pretty
	if d.Namespaced {
		out = append(out, b.listEverywhere(collection))
		collection = root + "namespaces/{namespace}/" + d.Names.Plural
		scope = t.namespaced
		b.scope = "Namespaced"
	}
	out = append(out, b.collection(collection, scope))
	item := t.named(d.Names.Kind, scope)
	out = append(out, b.item(collection+"/{name}", item))
	names := make([]string, 0, len(v.Subresources))
	for name := range v.Subresources {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		item := item
		if v.Subresources[name].Scale != nil && !d.Custom {
			item = t.named("Scale", scope)
		}
		out = append(out, b.subresource(collection+"/{name}/"+name, name, item))
	}
	if !d.Custom {
		out = append(out, b.watches(root+"watch/", strings.TrimPrefix(collection, root))...)
	}
	return out
}

// watches are the paths by which built-in kinds could be watched before lists had the parameter watch.
func (b *pathBuilder) watches(root, collection string) []path {
	const deprecated = ". deprecated: use the 'watch' parameter with a list operation instead"
	kind := b.d.Names.Kind
	watch := func(at, action, name, description string, params params) path {
		op := b.operation("get", action, "watch", name, description)
		op.result, op.produces = models.WatchEvent, watchTypes
		return path{path: root + at, params: params, operations: []operation{op}}
	}
	list := "watch individual changes to a list of " + kind + deprecated + "."
	var out []path
	scope := b.everywhere
	if b.d.Namespaced {
		out = append(out, watch(b.d.Names.Plural, "watchlist", kind+"ListForAllNamespaces", list, b.everywhere))
		scope = b.watchNamespace
	}
	return append(out,
		watch(collection, "watchlist", b.name()+"List", list, scope),
		watch(collection+"/{name}", "watch", b.name(), "watch changes to an object of kind "+kind+deprecated+
			", filtered to a single item with the 'fieldSelector' parameter.", b.watchNamed(kind, b.d.Namespaced)))
}

// resourcesPath is the discovery document of a group and version.
func resourcesPath(group, version string) path {
	return path{
		path: "/" + groupVersionPath(group, version) + "/",
		operations: []operation{{
			method: "get", id: "get" + identifier(strings.TrimSuffix(groupOrCore(group), ".k8s.io"), true) + identifier(version, true) + "APIResources",
			description: "get available resources", tag: tag(group, version), result: models.APIResourceList, codes: ok,
			consumes: mediaTypes, produces: mediaTypes,
		}},
	}
}

type pathBuilder struct {
	*paramTexts
	d           *resource.Definition
	v           *resource.Version
	kind        schema.GroupVersionKind
	model, list string
	group, tag  string // group and version in operation ids and tags
	scope       string // "Namespaced" or ""
	consumes    []string
	lists       []string // media types of lists
}

var (
	ok                = []int{200}
	okCreated         = []int{200, 201}
	okAccepted        = []int{200, 202}
	okCreatedAccepted = []int{200, 201, 202}
)

// operation begins one. The id is the verb, the group and version, and the rest of the name.
func (b *pathBuilder) operation(method, action, verb, name, description string) operation {
	return operation{
		method: method, action: action, id: verb + b.group + identifier(name, true), description: description, tag: b.tag, kind: b.kind,
		result: b.model, codes: ok, consumes: b.consumes, produces: mediaTypes,
	}
}

func (b *pathBuilder) name() string { return b.scope + b.d.Names.Kind }

func (b *pathBuilder) listOperation(name string) operation {
	description := "list or watch objects of kind "
	if b.d.Custom {
		description = "list objects of kind "
	}
	op := b.operation("get", "list", "list", name, description+b.d.Names.Kind)
	op.result, op.produces = b.list, b.lists
	return op
}

func (b *pathBuilder) listEverywhere(at string) path {
	return path{
		path: at, params: b.everywhere, operations: []operation{b.listOperation(b.d.Names.Kind + "ForAllNamespaces")},
	}
}

func (b *pathBuilder) collection(at string, params params) path {
	kind := b.d.Names.Kind
	list := b.listOperation(b.name())
	list.params = b.paramTexts.list
	create := b.operation("post", "post", "create", b.name(), "create"+article(kind)+kind)
	create.body, create.params, create.codes = b.model, b.write, okCreatedAccepted
	p := path{path: at, params: params, operations: []operation{list, create}}
	if !b.d.NoDeleteCollection {
		del := b.operation("delete", "deletecollection", "delete", "Collection"+b.name(), "delete collection of "+kind)
		del.result = models.Status
		if b.d.Custom {
			del.params = b.paramTexts.list
		} else {
			del.body, del.optional, del.params = deleteOptions, true, b.removeList
		}
		p.operations = append(p.operations, del)
	}
	return p
}

func (b *pathBuilder) item(at string, params params) path {
	kind := b.d.Names.Kind
	get := b.operation("get", "get", "read", b.name(), "read the specified "+kind)
	if b.d.Custom {
		get.params = b.get
	}
	put := b.operation("put", "put", "replace", b.name(), "replace the specified "+kind)
	put.body, put.params, put.codes = b.model, b.write, okCreated
	del := b.operation("delete", "delete", "delete", b.name(), "delete"+article(kind)+kind)
	del.body, del.optional, del.result, del.params, del.codes = deleteOptions, true, models.Status, b.remove, okAccepted
	if b.d.AnswersDeleted {
		del.result = b.model
	}
	return path{path: at, params: params, operations: []operation{get, put, b.patchOperation(b.name(), "partially update the specified "+kind), del}}
}

func (b *pathBuilder) patchOperation(name, description string) operation {
	op := b.operation("patch", "patch", "patch", name, description)
	op.body, op.params, op.consumes = patchModel, b.patch, customPatches
	if !b.d.Custom {
		op.codes = okCreated
	}
	if b.v.GoType != nil {
		op.consumes = builtinPatches
	}
	return op
}

func (b *pathBuilder) subresource(at, name string, scope params) path {
	sub := b.v.Subresources[name]
	of := *b
	if sub.Scale != nil {
		of.model = models.Scale
		if !b.d.Custom {
			of.kind = schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}
		}
	}
	id, kind := b.name()+strings.ToUpper(name[:1])+name[1:], b.d.Names.Kind
	p := path{path: at, params: scope}
	serves := func(verb string) bool { return sub.Verbs == nil || slices.Contains(sub.Verbs, verb) }
	if serves("get") {
		get := of.operation("get", "get", "read", id, "read "+name+" of the specified "+kind)
		if b.d.Custom {
			get.params = b.get
		}
		p.operations = append(p.operations, get)
	}
	if serves("update") {
		put := of.operation("put", "put", "replace", id, "replace "+name+" of the specified "+kind)
		put.body, put.params, put.codes = of.model, b.write, okCreated
		p.operations = append(p.operations, put)
	}
	if serves("patch") {
		p.operations = append(p.operations, of.patchOperation(id, "partially update "+name+" of the specified "+kind))
	}
	if len(p.operations) == 1 && p.operations[0].method == "put" { // what all operations of a path have is the path's
		p.params, p.operations[0].params = b.writeNamed(kind, b.d.Namespaced), params{}
	}
	return p
}

func groupOrCore(group string) string {
	if group == "" {
		return "core"
	}
	return group
}

func tag(group, version string) string {
	return identifier(strings.TrimSuffix(groupOrCore(group), ".k8s.io"), false) + "_" + identifier(version, false)
}

// identifier is s without what is neither letter nor digit, in CamelCase.
func identifier(s string, upper bool) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		c := rune(s[i])
		switch {
		case c < unicode.MaxASCII && unicode.IsLetter(c), c == '_', i != 0 && '0' <= c && c <= '9':
			if upper {
				c = unicode.ToUpper(c)
			}
			out, upper = append(out, byte(c)), false
		default:
			upper = true
		}
	}
	return string(out)
}

// article goes before a kind, with spaces around it.
func article(kind string) string {
	switch {
	case strings.HasSuffix(kind, "s") && !strings.HasSuffix(kind, "ss"):
		return " " // it looks like a plural
	case strings.ContainsRune("aeiouAEIOU", rune(kind[0])):
		return " an "
	}
	return " a "
}
