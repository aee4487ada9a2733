package openapi

import (
	"bytes"
	"encoding/base64"
	"hash/fnv"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// param is a parameter of requests.
type param struct {
	name, in, kind, description string
	required                    bool
	// own: v2 has it where it is used, and not as a reference to a shared one. (kubectl used to look for some of them.)
	own bool
}

// params are parameters as a document has them: the elements of a list, with commas between.
type params struct{ v3, v2 []byte }

// paramTexts are the parameters that all kinds share.
type paramTexts struct {
	pretty, namespaced, list, everywhere, get, write, patch, remove, removeList params
	watchNamespace                                                              params
	lists, writes                                                               []param // list and write, not encoded
	// shared is the member parameters of v2.
	shared []byte
}

func (p *param) appendV3(b []byte) []byte {
	b = jsonscan.AppendString(append(b, `{"name":`...), p.name)
	b = jsonscan.AppendString(append(b, `,"in":`...), p.in)
	b = jsonscan.AppendString(append(b, `,"description":`...), p.description)
	if p.required {
		b = append(b, `,"required":true`...)
	}
	b = jsonscan.AppendString(append(b, `,"schema":{"type":`...), p.kind)
	return append(b, `,"uniqueItems":true}}`...)
}

// appendV2 appends the parameter itself. The names of shared ones are made of these bytes.
func (p *param) appendV2(b []byte) []byte {
	b = jsonscan.AppendString(append(b, `{"uniqueItems":true,"type":`...), p.kind)
	b = jsonscan.AppendString(append(b, `,"description":`...), p.description)
	b = jsonscan.AppendString(append(b, `,"name":`...), p.name)
	b = jsonscan.AppendString(append(b, `,"in":`...), p.in)
	if p.required {
		b = append(b, `,"required":true`...)
	}
	return append(b, '}')
}

// sharedName is the name of a parameter that is shared in v2: its own, and a hash of its text.
func sharedName(name string, text []byte) string {
	h := fnv.New64()
	_, _ = h.Write(text)
	return name + "-" + base64.URLEncoding.EncodeToString(h.Sum(nil)[:6])
}

func appendParamRef(b []byte, name string) []byte {
	return append(append(append(b, `{"$ref":"#/parameters/`...), name...), `"}`...)
}

// bodyV2 is the parameter that says which model a request's body is.
func bodyV2(b []byte, model string, required bool) []byte {
	b = append(b, `{"name":"body","in":"body",`...)
	if required {
		b = append(b, `"required":true,`...)
	}
	b = append(b, `"schema":`...)
	return append(appendRef(b, refV2, model), '}')
}

// paramWriter collects what is shared while lists are made.
type paramWriter struct {
	shared []string // "name":{...}
}

func (w *paramWriter) share(name string, text []byte) string {
	name = sharedName(name, text)
	member := `"` + name + `":` + string(text)
	if !slices.Contains(w.shared, member) {
		w.shared = append(w.shared, member)
	}
	return name
}

func (w *paramWriter) list(list ...param) params {
	slices.SortStableFunc(list, func(a, b param) int { return strings.Compare(a.name, b.name) })
	var out params
	for i := range list {
		if i > 0 {
			out.v3, out.v2 = append(out.v3, ','), append(out.v2, ',')
		}
		out.v3 = list[i].appendV3(out.v3)
		text := list[i].appendV2(nil)
		if list[i].own {
			out.v2 = append(out.v2, text...)
		} else {
			out.v2 = appendParamRef(out.v2, w.share(list[i].name, text))
		}
	}
	return out
}

// query makes query parameters out of "name type" and the descriptions by name.
func query(doc map[string]string, fields ...string) []param {
	out := make([]param, 0, len(fields))
	for _, f := range fields {
		name, kind, _ := strings.Cut(f, " ")
		out = append(out, param{
			name: name, in: "query", kind: kind, description: doc[name], own: name == "dryRun" || name == "fieldValidation",
		})
	}
	return out
}

func prettyParam() param {
	return param{
		name: "pretty", in: "query", kind: "string",
		description: "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
	}
}

func namespaceParam() param {
	return param{
		name: "namespace", in: "path", kind: "string", required: true,
		description: "object name and auth scope, such as for teams and projects",
	}
}

// newParamTexts makes the texts, with the descriptions of the options' Go types.
func newParamTexts() *paramTexts {
	var w paramWriter
	pretty, namespace := prettyParam(), namespaceParam()
	lists := metav1.ListOptions{}.SwaggerDoc()
	list := query(lists, "allowWatchBookmarks boolean", "continue string", "fieldSelector string", "labelSelector string",
		"limit integer", "resourceVersion string", "resourceVersionMatch string", "sendInitialEvents boolean", "shardSelector string",
		"timeoutSeconds integer", "watch boolean")
	remove := query(metav1.DeleteOptions{}.SwaggerDoc(), "dryRun string", "gracePeriodSeconds integer",
		"ignoreStoreReadErrorWithClusterBreakingPotential boolean", "orphanDependents boolean", "propagationPolicy string")
	removeList := slices.DeleteFunc(slices.Concat(remove, list), func(p param) bool { return p.name == "watch" || p.name == "allowWatchBookmarks" })
	write := query(metav1.CreateOptions{}.SwaggerDoc(), "dryRun string", "fieldManager string", "fieldValidation string")
	t := &paramTexts{
		lists: list, writes: write,
		pretty: w.list(pretty), namespaced: w.list(namespace, pretty),
		list: w.list(list...), everywhere: w.list(append(slices.Clone(list), pretty)...),
		watchNamespace: w.list(append(slices.Clone(list), pretty, namespace)...),
		get:            w.list(query(metav1.GetOptions{}.SwaggerDoc(), "resourceVersion string")...),
		write:          w.list(write...),
		patch:          w.list(query(metav1.PatchOptions{}.SwaggerDoc(), "dryRun string", "fieldManager string", "fieldValidation string", "force boolean")...),
		remove:         w.list(remove...),
		removeList:     w.list(removeList...),
	}
	w.share("body", bodyV2(nil, deleteOptions, false))
	w.share("body", bodyV2(nil, patchModel, true))
	slices.Sort(w.shared)
	t.shared = []byte("{" + strings.Join(w.shared, ",") + "}")
	return t
}

// named are the parameters of one object's path: more, with the object's name before them.
func (t *paramTexts) named(kind string, more params) params {
	name := nameOf(kind)
	return params{
		v3: bytes.Join([][]byte{name.appendV3(nil), more.v3}, []byte{','}),
		v2: bytes.Join([][]byte{name.appendV2(nil), more.v2}, []byte{','}),
	}
}

func nameOf(kind string) param {
	return param{name: "name", in: "path", kind: "string", required: true, description: "name of the " + kind, own: true}
}

// pathOf are the parameters of a path whose only operation has more of them.
func pathOf(kind string, namespaced bool, more []param) params {
	list := append(slices.Clone(more), prettyParam(), nameOf(kind))
	if namespaced {
		list = append(list, namespaceParam())
	}
	return (&paramWriter{}).list(list...)
}

func (t *paramTexts) watchNamed(kind string, namespaced bool) params {
	return pathOf(kind, namespaced, t.lists)
}

func (t *paramTexts) writeNamed(kind string, namespaced bool) params {
	return pathOf(kind, namespaced, t.writes)
}
