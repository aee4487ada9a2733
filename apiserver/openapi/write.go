package openapi

import (
	"net/http"
	"strconv"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/crd/published"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// What begins references to models.
const (
	refV3 = models.RefPrefix
	refV2 = published.RefPrefixV2
)

func appendRef(b []byte, prefix, model string) []byte {
	return append(append(append(append(b, `{"$ref":"`...), prefix...), model...), `"}`...)
}

// comma appends one, unless an object or list has just begun.
func comma(b []byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b
	}
	return append(b, ',')
}

// appendPaths appends paths as members.
func appendPaths(b []byte, paths []path, v2 bool) []byte {
	for i := range paths {
		p := &paths[i]
		b = append(jsonscan.AppendString(comma(b), p.path), ':', '{')
		for j := range p.operations {
			op := &p.operations[j]
			b = append(append(append(comma(b), '"'), op.method...), `":{`...)
			if v2 {
				b = op.appendV2(b)
			} else {
				b = op.appendV3(b)
			}
			b = append(op.appendExtensions(b), '}')
		}
		list := p.params.v3
		if v2 {
			list = p.params.v2
		}
		b = append(appendParams(b, list), '}')
	}
	return b
}

// appendParams appends the member parameters, if there are any.
func appendParams(b, list []byte) []byte {
	if len(list) == 0 {
		return b
	}
	return append(append(append(comma(b), `"parameters":[`...), list...), ']')
}

func (op *operation) appendV3(b []byte) []byte {
	b = append(append(append(b, `"tags":["`...), op.tag...), `"],"description":`...)
	b = jsonscan.AppendString(b, op.description)
	b = append(append(append(b, `,"operationId":"`...), op.id...), '"')
	b = appendParams(b, op.params.v3)
	if op.body != "" {
		b = append(b, `,"requestBody":{`...)
		b = appendContent(b, op.body, op.consumes)
		if !op.optional {
			b = append(b, `,"required":true`...)
		}
		b = append(b, '}')
	}
	b = append(b, `,"responses":{`...)
	for _, code := range op.codes {
		b = append(appendCode(b, code), ',')
		b = append(appendContent(b, op.result, op.produces), `},`...)
	}
	return append(appendCode(b, http.StatusUnauthorized), `}}`...)
}

// appendCode begins a response.
func appendCode(b []byte, code int) []byte {
	b = append(strconv.AppendInt(append(b, '"'), int64(code), 10), `":{"description":"`...)
	return append(append(b, http.StatusText(code)...), '"')
}

func appendContent(b []byte, model string, media []string) []byte {
	b = append(b, `"content":{`...)
	for _, m := range media {
		b = append(append(append(comma(b), '"'), m...), `":{"schema":`...)
		b = append(appendRef(b, refV3, model), '}')
	}
	return append(b, '}')
}

func (op *operation) appendV2(b []byte) []byte {
	b = append(jsonscan.AppendString(append(b, `"description":`...), op.description), ',')
	b = append(appendStrings(append(b, `"consumes":`...), op.consumes), ',')
	b = append(appendStrings(append(b, `"produces":`...), op.produces), `,"schemes":["https"],"tags":["`...)
	b = append(append(append(b, op.tag...), `"],"operationId":"`...), op.id...)
	b = append(b, '"')
	if op.body != "" || len(op.params.v2) > 0 {
		b = append(b, `,"parameters":[`...)
		b = op.appendBody(b)
		if op.body != "" && len(op.params.v2) > 0 {
			b = append(b, ',')
		}
		b = append(append(b, op.params.v2...), ']')
	}
	b = append(b, `,"responses":{`...)
	for _, code := range op.codes {
		b = append(appendCode(b, code), `,"schema":`...)
		b = append(appendRef(b, refV2, op.result), `},`...)
	}
	return append(appendCode(b, http.StatusUnauthorized), `}}`...)
}

// appendBody appends the parameter body. Those of general models are shared.
func (op *operation) appendBody(b []byte) []byte {
	switch op.body {
	case "":
		return b
	case deleteOptions, patchModel:
		return appendParamRef(b, sharedName("body", bodyV2(nil, op.body, !op.optional)))
	}
	return bodyV2(b, op.body, !op.optional)
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for _, s := range list {
		b = append(append(append(comma(b), '"'), s...), '"')
	}
	return append(b, ']')
}

func (op *operation) appendExtensions(b []byte) []byte {
	if op.action == "" {
		return b
	}
	b = append(append(append(b, `,"x-kubernetes-action":"`...), op.action...), `","x-kubernetes-group-version-kind":`...)
	return published.AppendGVK(b, op.kind)
}
