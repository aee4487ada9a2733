package crd_test

// singleEdits break (or just bend) one rule each.
func singleEdits() []string {
	return slicesOf(namesEdits(), versionEdits(), subresourceEdits(), conversionEdits(), keywordEdits(), structureEdits(), topologyEdits(), defaultEdits(), ruleEdits())
}

func slicesOf(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

const v2 = `spec.versions.1={"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}`

func namesEdits() []string {
	return []string{
		`metadata.labels={"a":"b"}`,
		`metadata.name="other.story.example.com"`,
		`metadata.name="Things.story.example.com"`,
		`-metadata.name`,
		`metadata.name=""`,
		`-metadata.name; metadata.generateName="things"`,
		`metadata.generateName="things."`,
		`metadata.labels={"-a":"b","c":"_"}`,
		`metadata.annotations={"a b":"c"}`,
		`spec.group=""`,
		`-spec.group`,
		`spec.group="story"`,
		`spec.group="Story.example.com"`,
		`spec.group="story..com"`,
		`spec.group="x.k8s.io"; metadata.name="things.x.k8s.io"`,
		`spec.group="x.kubernetes.io"; metadata.name="things.x.kubernetes.io"; metadata.annotations={"api-approved.kubernetes.io":"nonsense"}`,
		`spec.group="k8s.io"; metadata.name="things.k8s.io"; metadata.annotations={"api-approved.kubernetes.io":"https://github.com/kubernetes/kubernetes/pull/1"}`,
		`spec.group="y.k8s.io"; metadata.name="things.y.k8s.io"; metadata.annotations={"api-approved.kubernetes.io":"unapproved, a test"}`,
		`spec.group="k8s.io.example.com"; metadata.name="things.k8s.io.example.com"`,
		`spec.scope=""`,
		`-spec.scope`,
		`spec.scope="Cluster"`,
		`spec.scope="cluster"`,
		`spec.scope="Other"`,
		`spec.names.plural=""`,
		`spec.names.plural="Things"; metadata.name="Things.story.example.com"`,
		`spec.names.plural="th.ings"; metadata.name="th.ings.story.example.com"`,
		`spec.names.singular="Thing"`,
		`spec.names.singular="a-thing"`,
		`spec.names.singular="9thing"`,
		`-spec.names.kind`,
		`spec.names.kind="thing-y"`,
		`spec.names.kind="Thing_y"`,
		`spec.names.listKind="Thing"`,
		`spec.names.listKind="Thing List"`,
		`spec.names.shortNames=["t","T","t-"]`,
		`spec.names.shortNames=["t","th"]; spec.names.categories=["all"]`,
		`spec.names.categories=["all","All"]`,
		`spec.names={}`,
		`-spec.names`,
		`spec.preserveUnknownFields=true`,
		`spec.preserveUnknownFields=false`,
		`spec.unknown=1`,
		`-spec`,
		`spec=null`,
	}
}

func versionEdits() []string {
	return []string{
		`spec.versions=[]`,
		`-spec.versions`,
		`V.name=""`,
		`V.name="V1"`,
		`V.name="1"`,
		`V.name="v1.0"`,
		`V.served=false`,
		`V.storage=false`,
		`V.deprecated=true`,
		`V.deprecationWarning="gone soon"`,
		`V.deprecated=true; V.deprecationWarning="gone soon"`,
		`V.deprecated=true; V.deprecationWarning=""`,
		`V.deprecationWarning=""`,
		`V.deprecated=true; V.deprecationWarning="a\nb"`,
		`V.deprecated=true; V.deprecationWarning="a\u00a0b"`,
		`V.deprecated=true; V.deprecationWarning="` + long(257) + `"`,
		v2,
		v2 + `; spec.versions.1.name="v1"`,
		v2 + `; spec.versions.1.storage=true`,
		v2 + `; spec.versions.1.storage=true; spec.versions.1.name="v1"`,
		v2 + `; spec.versions.1.name="V 2"`,
		v2 + `; -spec.versions.1.schema`,
		v2 + `; -V.schema; -spec.versions.1.schema`,
		v2 + `; V.schema={"openAPIV3Schema":{"type":"object"}}`,
		v2 + `; V.schema={"openAPIV3Schema":{"type":"string"}}; spec.versions.1.schema={"openAPIV3Schema":{"type":"string"}}`,
		v2 + `; V.schema={"openAPIV3Schema":{"type":"string"}}`,
		v2 + `; spec.versions.1.subresources={"status":{}}; spec.versions.1.schema.openAPIV3Schema={"type":"object","minProperties":1}`,
		v2 + `; V.subresources={"status":{}}; spec.versions.1.subresources={"status":{}}; spec.versions.1.schema.openAPIV3Schema={"type":"object","minProperties":1}`,
		v2 + `; V.additionalPrinterColumns=[{"name":"A","type":"x","jsonPath":".a"}]; spec.versions.1.additionalPrinterColumns=[{"name":"A","type":"x","jsonPath":".a"}]`,
		v2 + `; V.additionalPrinterColumns=[{"name":"A","type":"x","jsonPath":".a"}]`,
		v2 + `; V.selectableFields=[{"jsonPath":".spec.text"}]; spec.versions.1.selectableFields=[{"jsonPath":".spec.text"}]`,
		v2 + `; spec.versions.1.selectableFields=[{"jsonPath":".spec.text"}]`,
		v2 + `; V.selectableFields=[{"jsonPath":".spec.text"}]`,
		`-V.schema`,
		`V.schema={}`,
		`V.schema.openAPIV3Schema=null`,
		`V.schema.openAPIV3Schema={}`,
		`V.unknown=true`,
		`V.served="yes"`,
		`V.name=1`,
	}
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

func subresourceEdits() []string {
	scale := func(s string) string { return `V.subresources={"scale":` + s + `}` }
	column := func(s string) string { return `V.additionalPrinterColumns=[` + s + `]` }
	selectable := func(s string) string { return `V.selectableFields=[` + s + `]` }
	return []string{
		`V.subresources={}`,
		`V.subresources={"status":{}}`,
		`V.subresources={"status":{"a":1}}`,
		`V.subresources={"status":{}}; S.type="array"`,
		`V.subresources={"status":{}}; -S.type`,
		`V.subresources={"status":{}}; S.allOf=[{"required":["spec"]}]`,
		`V.subresources={"status":{}}; S.default={}`,
		`V.subresources={"status":{}}; S.x-kubernetes-preserve-unknown-fields=true`,
		`V.subresources={"status":{}}; S.x-kubernetes-map-type="atomic"`,
		`V.subresources={"status":{}}; S.id="x"`,
		scale(`{}`),
		scale(`{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}`),
		scale(`{"specReplicasPath":"spec.replicas","statusReplicasPath":"status.replicas"}`),
		scale(`{"specReplicasPath":".status.replicas","statusReplicasPath":".spec.replicas"}`),
		scale(`{"specReplicasPath":".spec","statusReplicasPath":"."}`),
		scale(`{"specReplicasPath":".spec.a[0].b","statusReplicasPath":".status..a"}`),
		scale(`{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas","labelSelectorPath":""}`),
		scale(`{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas","labelSelectorPath":"x"}`),
		scale(`{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas","labelSelectorPath":".metadata.x"}`),
		scale(`{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas","labelSelectorPath":".spec.x"}`),
		scale(`{"specReplicasPath":7}`),
		column(`{"name":"A","type":"string","jsonPath":".spec.text"}`),
		column(`{}`),
		column(`{"name":"A","type":"text","jsonPath":"spec.text"}`),
		column(`{"name":"A","type":"date","format":"day","jsonPath":".x"}`),
		column(`{"name":"A","type":"number","format":"float","jsonPath":"."}`),
		column(`{"name":"A","type":"string","jsonPath":".spec.list[?(@.k=='a'"}`),
		column(`{"name":"A","type":"string","jsonPath":".spec.list[*].k"},{"name":"A","type":"string","jsonPath":"{.spec}"}`),
		column(`{"name":"A","type":"string","JSONPath":".spec.text"}`),
		column(`{"name":"A","type":"string","jsonPath":".x","priority":-1}`),
		selectable(`{"jsonPath":".spec.text"}`),
		selectable(`{"jsonPath":""}`),
		selectable(`{}`),
		selectable(`{"jsonPath":"spec.text"}`),
		selectable(`{"jsonPath":".spec.nope"}`),
		selectable(`{"jsonPath":".spec."}`),
		selectable(`{"jsonPath":".spec..text"}`),
		selectable(`{"jsonPath":"."}`),
		selectable(`{"jsonPath":".spec.list[0].k"}`),
		selectable(`{"jsonPath":".spec.list"}`),
		selectable(`{"jsonPath":".spec.map.x"}`),
		selectable(`{"jsonPath":".spec.map['x']"}`),
		selectable(`{"jsonPath":".spec"},{"jsonPath":".spec.count"},{"jsonPath":".spec.flag"}`),
		selectable(`{"jsonPath":".spec.text"},{"jsonPath":".spec.text"}`),
		selectable(`{"jsonPath":".metadata.name"}`),
		selectable(`{"jsonPath":".metadata.name"}`) + `; S.properties.metadata={"type":"object","properties":{"name":{"type":"string"}}}`,
		selectable(`{"jsonPath":".spec.f"}`) + `; P.f={"type":"number"}`,
		selectable(`{"jsonPath":".spec.f"}`) + `; P.f={"x-kubernetes-int-or-string":true}`,
		selectable(`{"jsonPath":".spec.f"}`) + `; P.f={"type":"string","format":"date","enum":["2020-01-01"]}`,
		selectable(nineFields()) + `; ` + nineProperties(),
		selectable(`{"jsonPath":".spec.text"}`) + `; S.items=[{}]`,
		selectable(`{"jsonPath":".spec.text"}`) + `; -V.schema`,
	}
}

func nineFields() string {
	s := ""
	for _, c := range "abcdefghi" {
		s += `,{"jsonPath":".spec.` + string(c) + `"}`
	}
	return s[1:]
}

func nineProperties() string {
	s := ""
	for _, c := range "abcdefghi" {
		s += `; P.` + string(c) + `={"type":"string"}`
	}
	return s[2:]
}

func conversionEdits() []string {
	hook := func(s string) string { return `spec.conversion={"strategy":"Webhook","webhook":` + s + `}` }
	url := func(s string) string {
		return hook(`{"clientConfig":{"url":"` + s + `"},"conversionReviewVersions":["v1"]}`)
	}
	service := func(s string) string {
		return hook(`{"clientConfig":{"service":` + s + `},"conversionReviewVersions":["v1"]}`)
	}
	reviews := func(s string) string {
		return hook(`{"clientConfig":{"url":"https://a.b"},"conversionReviewVersions":` + s + `}`)
	}
	return []string{
		`spec.conversion={}`,
		`spec.conversion={"strategy":"None"}`,
		`spec.conversion={"strategy":"Other"}`,
		`spec.conversion={"strategy":"Webhook"}`,
		`spec.conversion={"strategy":"None","webhook":{}}`,
		`spec.conversion={"strategy":"None","webhook":{"clientConfig":{"url":"https://a.b"},"conversionReviewVersions":["v1"]}}`,
		`spec.conversion={"strategy":"None","webhook":{"conversionReviewVersions":["v1"]}}`,
		`spec.conversion={"strategy":"Other","webhook":{"conversionReviewVersions":["v1"]}}`,
		hook(`{}`),
		hook(`{"conversionReviewVersions":["v1"]}`),
		hook(`{"clientConfig":{}}`),
		hook(`{"clientConfig":{},"conversionReviewVersions":["v1"]}`),
		hook(`{"clientConfig":{"url":"https://a.b","service":{"name":"a","namespace":"b"}},"conversionReviewVersions":["v1"]}`),
		url("https://a.b/c"), url("http://a.b"), url("https://"), url("a.b"), url("https://u:p@a.b"), url("https://a.b/#f"), url("https://a.b/?q=1"),
		url("https://a b"), url("https://u@/?q#f"), url(""),
		service(`{}`), service(`{"name":"a"}`), service(`{"namespace":"b"}`), service(`{"name":"a","namespace":"b"}`),
		service(`{"name":"a","namespace":"b","port":0}`), service(`{"name":"a","namespace":"b","port":70000}`),
		service(`{"name":"a","namespace":"b","path":"x"}`), service(`{"name":"a","namespace":"b","path":"/"}`),
		service(`{"name":"a","namespace":"b","path":"//"}`), service(`{"name":"a","namespace":"b","path":"/a//b/"}`),
		service(`{"name":"a","namespace":"b","path":"/a_b/c"}`), service(`{"name":"a","namespace":"b","path":""}`),
		reviews(`[]`), reviews(`["v1","v1"]`), reviews(`["v2"]`), reviews(`["V 1","v1beta1"]`), reviews(`["v2","V1"]`),
		hook(`{"clientConfig":{"url":"https://a.b","caBundle":"bm90IGEgY2VydGlmaWNhdGU="},"conversionReviewVersions":["v1"]}`),
		hook(`{"clientConfig":{"url":"https://a.b","caBundle":"%%%"},"conversionReviewVersions":["v1"]}`),
		hook(`{"clientConfig":{"url":"https://a.b"},"conversionReviewVersions":["v1"]}`) + `; spec.preserveUnknownFields=true`,
	}
}

func keywordEdits() []string {
	return []string{
		`P.text.type="null"`, `P.text.type="strings"`, `P.text.type=""`, `-P.text.type`, `P.text.type=["string"]`,
		`P.text.uniqueItems=true`, `P.strings.uniqueItems=true`, `P.strings.items.uniqueItems=true`,
		`P.text.id="x"`, `P.text.$schema="http://json-schema.org/draft-04/schema#"`, `P.text.$ref="#/x"`, `P.text.$ref=""`,
		`S.$ref="#/definitions/x"; S.definitions={"x":{"type":"string"}}`,
		`P.text.definitions={"a":{"type":"wrong"}}`, `P.text.dependencies={"a":["b"]}`, `P.text.dependencies={"a":{"type":"wrong"}}`,
		`P.map.patternProperties={"^a":{"type":"string"}}`, `P.strings.additionalItems=true`, `P.strings.additionalItems={"type":"string"}`,
		`P.strings.items=[{"type":"string"}]`, `P.strings.items=[]`, `-P.strings.items`, `P.text.items={"type":"string"}`, `P.strings.items=null`,
		`P.map.properties={"a":{"type":"string"}}`, `P.map.additionalProperties=true`, `P.map.additionalProperties=false`,
		`P.map.additionalProperties=true; P.map.properties={"a":{"type":"string"}}`, `P.map.additionalProperties=false; P.map.properties={"a":{"type":"string"}}`,
		`S.additionalProperties=true`, `S.additionalProperties={"type":"string"}`, `S.additionalProperties=false; -S.properties`,
		`P.text.nullable=true`, `S.nullable=true`,
		`P.text.pattern="("`, `P.text.pattern="(?=a)b"`, `P.text.pattern="^a*$"`, `P.text.allOf=[{"pattern":"["}]`, `P.text.not={"pattern":"a{1001}"}`,
		`P.text.format="date"`, `P.text.format="k8s-short-name"`, `P.text.format="strange"`, `P.count.format="int32"`, `P.count.format="date"`, `P.flag.format="int32"`,
		`P.text.format="one"; P.count.format="two"; P.strings.items.format="one"`,
		`P.text.enum=["a","b"]`, `P.text.enum=[1,null,{}]`, `P.text.enum=[]`, `P.count.minimum=5; P.count.maximum=1`, `P.count.multipleOf=0`, `P.count.multipleOf=-1`,
		`P.text.minLength=-1`, `P.text.maxLength=-1`, `P.strings.maxItems=-1`, `P.count.minimum="a"`, `P.count.exclusiveMinimum=true`, `P.count.exclusiveMinimum=3`,
		`P.text.title="t"; P.text.description="d"; P.text.example="e"; P.text.externalDocs={"url":"x","description":"y"}`,
		`P.text.unknown=1`, `P.text.const="a"`, `P.text.x-kubernetes-unknown=true`, `P.text.x-order=1`,
		`S.type="array"`, `S.type="string"`, `-S.type`, `S.properties=null`, `S.properties={}`, `-S.properties`,
		`S.required=["spec","spec"]`, `S.required=["nope"]`, `P.text.required=["a"]`,
		`S.properties.spec=null`, `S.properties.spec={}`, `S.properties.spec.properties.a~b={"type":"string"}`,
		`S.properties.apiVersion={"type":"string"}; S.properties.kind={"type":"string"}; S.properties.metadata={"type":"object"}`,
		`S.properties.apiVersion={"type":"integer"}; S.properties.kind={"type":"object"}`,
		`S.properties.metadata={"type":"string"}`, `S.properties.metadata={}`,
		`S.properties.metadata={"type":"object","properties":{"name":{"type":"string","maxLength":5}}}`,
		`S.properties.metadata={"type":"object","properties":{"name":{"type":"string"},"generateName":{"type":"string"}}}`,
		`S.properties.metadata={"type":"object","properties":{"name":{"type":"string"},"labels":{"type":"object"}}}`,
		`S.properties.metadata={"type":"object","properties":{"labels":{"type":"object","additionalProperties":{"type":"string","default":"a"}}}}`,
		`S.properties.metadata={"type":"object","description":"d"}`, `S.properties.metadata={"type":"object","required":["name"]}`, `S.properties.metadata={"type":"object","x-kubernetes-preserve-unknown-fields":true}`,
		`S.properties.metadata={"type":"object","x-kubernetes-embedded-resource":true}`,
		`S.properties.metadata={"type":"object","default":{"name":"a"}}`, `S.properties.metadata={"type":"object","properties":{"name":{"type":"string","default":"a"}}}`,
		`S.properties.apiVersion={"type":"string","default":"v1"}`,
		`S.properties.spec.properties.metadata={"type":"string"}`,
	}
}
