package crd_test

func structureEdits() []string {
	nested := func(s string) string { return `P.text.allOf=[` + s + `]` }
	return []string{
		nested(`{"type":"string"}`), nested(`{"default":"a"}`), nested(`{"title":"t"}`), nested(`{"description":"d"}`), nested(`{"nullable":true}`),
		nested(`{"x-kubernetes-preserve-unknown-fields":true}`), nested(`{"x-kubernetes-embedded-resource":true}`), nested(`{"x-kubernetes-int-or-string":true}`),
		nested(`{"x-kubernetes-list-map-keys":["a"]}`), nested(`{"x-kubernetes-list-type":"set"}`), nested(`{"x-kubernetes-map-type":"atomic"}`),
		nested(`{"x-kubernetes-validations":[{"rule":"true"}]}`), nested(`{"additionalProperties":true}`), nested(`{"additionalProperties":false}`), nested(`{"additionalProperties":{"maxLength":3}}`),
		nested(`{"properties":{"a":{"maxLength":1}}}`), nested(`{"items":{"maxLength":1}}`), nested(`{"minLength":1,"enum":["a"],"format":"date","pattern":"a"}`),
		`S.anyOf=[{"required":["spec"]},{"properties":{"spec":{"required":["text"]}}}]`,
		`S.anyOf=[{"properties":{"nope":{"maxLength":1}}}]`,
		`S.oneOf=[{"properties":{"spec":{"properties":{"nope":{},"text":{"properties":{"x":{}}}}}}}]`,
		`S.not={"properties":{"spec":{"properties":{"strings":{"items":{"maxLength":3}},"text":{"items":{"maxLength":3}}}}}}`,
		`S.allOf=[{"properties":{"metadata":{"properties":{"name":{"maxLength":3}}}}}]`,
		`S.allOf=[{"properties":{"spec":{"properties":{"metadata":{}}}}}]; P.metadata={"type":"object"}`,
		`S.allOf=[{"anyOf":[{"not":{"oneOf":[{"properties":{"deep":{}}}]}}]}]`,
		`S.allOf=[{"properties":{"spec":{"properties":{"map":{"properties":{"a":{"maxLength":3}}}}}}}]`,
		`P.x={"x-kubernetes-int-or-string":true}`, `P.x={"x-kubernetes-int-or-string":true,"type":"string"}`, `P.x={"x-kubernetes-int-or-string":true,"type":"integer"}`,
		`P.x={"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}`, `P.x={"x-kubernetes-int-or-string":true,"anyOf":[{"type":"string"},{"type":"integer"}]}`,
		`P.x={"x-kubernetes-int-or-string":true,"allOf":[{"anyOf":[{"type":"integer"},{"type":"string"}]},{"pattern":"a"}]}`,
		`P.x={"x-kubernetes-int-or-string":true,"allOf":[{"pattern":"a"},{"anyOf":[{"type":"integer"},{"type":"string"}]}]}`,
		`P.x={"anyOf":[{"type":"integer"},{"type":"string"}]}`, `P.x={"type":"string","anyOf":[{"type":"integer"},{"type":"string"}]}`,
		`P.x={"x-kubernetes-int-or-string":true,"x-kubernetes-preserve-unknown-fields":true}`, `P.x={"x-kubernetes-int-or-string":true,"x-kubernetes-embedded-resource":true}`,
		`P.x={"x-kubernetes-int-or-string":false}`, `P.x={"x-kubernetes-preserve-unknown-fields":true}`, `P.x={"x-kubernetes-preserve-unknown-fields":false}`,
		`P.x={"type":"object","x-kubernetes-preserve-unknown-fields":false}`, `P.x={"type":"string","x-kubernetes-preserve-unknown-fields":true}`,
		`S.x-kubernetes-preserve-unknown-fields=true`, `S.x-kubernetes-preserve-unknown-fields=true; -S.properties`, `S.x-kubernetes-preserve-unknown-fields=true; -S.type`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true}`, `P.x={"x-kubernetes-embedded-resource":true}`, `P.x={"type":"array","x-kubernetes-embedded-resource":true,"items":{"type":"string"}}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"additionalProperties":{"type":"string"}}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"properties":{"kind":{"type":"integer"},"apiVersion":{"type":"integer"},"metadata":{"type":"array","items":{"type":"string"}}}}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object","additionalProperties":{"type":"string"}}}}}}`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"properties":{"metadata":{"type":"object","x-kubernetes-embedded-resource":true}}}`,
		`S.x-kubernetes-embedded-resource=true`,
		`P.strings.items={}`, `P.map.additionalProperties={}`, `P.x={}`, `P.x={"properties":{"a":{}}}`, `P.x={"type":"object","additionalProperties":{"additionalProperties":{}}}`,
		`P.list.items.properties.m={"type":"array","items":{"type":"array","items":{}}}`,
	}
}

func topologyEdits() []string {
	return []string{
		`P.strings.x-kubernetes-list-type="set"`, `P.strings.x-kubernetes-list-type="atomic"`, `P.strings.x-kubernetes-list-type="map"`, `P.strings.x-kubernetes-list-type="list"`, `P.strings.x-kubernetes-list-type=""`,
		`P.text.x-kubernetes-list-type="set"`, `P.x={"x-kubernetes-preserve-unknown-fields":true,"x-kubernetes-list-type":"set"}`,
		`P.list.x-kubernetes-list-type="set"`, `P.list.x-kubernetes-list-type="set"; P.list.items.x-kubernetes-map-type="atomic"`, `P.list.x-kubernetes-list-type="set"; P.list.items.x-kubernetes-map-type="granular"`,
		`P.x={"type":"array","x-kubernetes-list-type":"set","items":{"type":"array","items":{"type":"string"}}}`,
		`P.x={"type":"array","x-kubernetes-list-type":"set","items":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}}`,
		`P.x={"type":"array","x-kubernetes-list-type":"set","items":{"type":"array","x-kubernetes-list-type":"atomic","items":{"type":"string"}}}`,
		`P.strings.x-kubernetes-list-type="set"; P.strings.items.nullable=true`,
		`P.list.x-kubernetes-list-type="map"`, `P.list.x-kubernetes-list-map-keys=["k"]`, `P.list.x-kubernetes-list-map-keys=[]`,
		`P.list.x-kubernetes-list-type="set"; P.list.x-kubernetes-list-map-keys=["k"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k","k"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["nope"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["nope","nope","k"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["v"]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k","v"]; P.list.items.properties.v.default="a"`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.properties.k.nullable=true`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.nullable=true`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.properties.k={"type":"object"}`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.properties.k={"type":"array","items":{"type":"string"}}`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.type="string"`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items=[{"type":"object"}]`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; -P.list.items`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]; P.list.items.properties.k={"x-kubernetes-int-or-string":true}`,
		`P.map.x-kubernetes-map-type="atomic"`, `P.map.x-kubernetes-map-type="granular"`, `P.map.x-kubernetes-map-type="map"`, `P.text.x-kubernetes-map-type="atomic"`, `P.x={"x-kubernetes-preserve-unknown-fields":true,"x-kubernetes-map-type":"atomic"}`,
	}
}

func defaultEdits() []string {
	embedded := func(props string) string {
		return `P.x={"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true,"properties":{` + props + `}}`
	}
	return []string{
		`P.text.default="a"`, `P.text.default=1`, `P.text.default=null`, `P.text.default=null; P.text.nullable=true`, `P.count.default="1"`, `P.count.default=1.5`, `P.count.default=1.0`, `P.flag.default="true"`,
		`P.x={"type":"integer","format":"int64","default":1.5}`, `P.x={"type":"integer","format":"float","default":0.5}`, `P.x={"type":"integer","format":"int32","default":true}`, `P.x={"type":"number","format":"unknown","default":1}`,
		`P.x={"type":"number","allOf":[{"format":"unknown"}],"default":1}`, `P.x={"type":"boolean","format":"unknown","default":"abc"}`, `P.x={"type":"object","format":"unknown","default":[1]}`, `P.x={"type":"string","format":"unknown","default":1}`,
		`P.x={"type":"integer","format":"uint32","default":-1}`, `P.x={"type":"integer","format":"uint64","default":-1}`, `P.x={"type":"object","x-kubernetes-embedded-resource":true,"properties":{"a":{"type":"string"}},"default":{"apiVersion":"v1","kind":"A","metadata":{"name":"a","labels":{},"zz":1},"b":1}}`, `P.x={"type":"integer","format":"uint64","default":10000000000000000000}`,
		`P.x={"type":"integer","not":{"format":"int64"},"default":1}`, `P.x={"type":"string","anyOf":[{"format":"unknown","minLength":3},{"format":"int64","maxLength":0}],"default":"a"}`,
		`P.x={"type":"number","format":"float32","default":1e300}`, `P.x={"type":"array","items":{"type":"string"},"format":"unknown","default":"a"}`, `P.x={"type":"object","format":"unknown","properties":{"a":{"type":"number","format":"int-or-string"}},"default":{"a":"1"}}`,
		`P.text.default="abc"; P.text.maxLength=2`, `P.text.default="abc"; P.text.pattern="^b"`, `P.text.default="c"; P.text.enum=["a","b"]`, `P.text.default="x"; P.text.format="date"`,
		`P.count.default=1; P.count.minimum=2`, `P.count.default=3; P.count.multipleOf=2`, `P.strings.default=["a",1]`, `P.strings.default="a"`, `P.strings.default=[]; P.strings.minItems=1`,
		`P.strings.default=["a","a"]; P.strings.x-kubernetes-list-type="set"`, `P.list.default=[{"v":"a"}]`, `P.list.default=[{"k":"a","x":"b"}]`, `P.list.items.default={"k":"a"}`, `P.list.items.default={}`, `P.list.items.properties.v.default=1`,
		`P.map.default={"a":"b"}`, `P.map.default={"a":1}`, `P.map.additionalProperties.default="a"`, `P.map.additionalProperties.default=1`, `P.map.additionalProperties={"type":"object","properties":{"a":{"type":"string","default":1}}}`,
		`S.properties.spec.default={}`, `S.properties.spec.default={"text":"a"}`, `S.properties.spec.default={"text":1,"count":"a"}`, `S.properties.spec.default={"nope":1}`, `S.properties.spec.default={"list":[{"nope":1}]}`, `S.properties.spec.default=[]`, `S.properties.spec.default=null`,
		`S.properties.spec.required=["text"]; S.properties.spec.default={}`, `S.default={}`, `S.default={"spec":{"text":"a"}}`, `S.default={"spec":{"text":1}}`, `S.default={"nope":1}`, `S.default={"metadata":{"name":"a"}}`, `S.default={"metadata":{"name":1}}`, `S.default={"metadata":{"name":"-"},"apiVersion":"v1","kind":"A"}`,
		`P.x={"x-kubernetes-int-or-string":true,"default":1}`, `P.x={"x-kubernetes-int-or-string":true,"default":"1"}`, `P.x={"x-kubernetes-int-or-string":true,"default":true}`, `P.x={"x-kubernetes-int-or-string":true,"default":1.5}`,
		`P.x={"x-kubernetes-preserve-unknown-fields":true,"default":{"a":{"b":[1,null]}}}`, `P.x={"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"object"}},"default":{"a":{"b":1},"c":2}}`,
		`P.x={"type":"string","default":"a","anyOf":[{"pattern":"b"},{"pattern":"c"}]}`, `P.x={"type":"string","default":"a","not":{"pattern":"a"}}`, `P.x={"type":"string","default":"a","oneOf":[{"pattern":"a"},{"maxLength":1}]}`,
		embedded(`"a":{"type":"string"}`) + `; P.x.default={}`, embedded(`"a":{"type":"string"}`) + `; P.x.default={"apiVersion":"v1","kind":"A","any":1}`,
		embedded(`"a":{"type":"string"}`) + `; P.x.default={"apiVersion":1,"kind":"A"}`, embedded(`"a":{"type":"string"}`) + `; P.x.default={"apiVersion":"v1","kind":"A","metadata":{"name":1}}`,
		embedded(`"a":{"type":"string"}`) + `; P.x.default={"apiVersion":"v1","kind":"A","metadata":{"name":"a","unknown":1}}`,
		embedded(`"a":{"type":"string"}`) + `; P.x.default={"apiVersion":"a/b/c","kind":"a_b","metadata":{"name":"a/b","labels":{"-":"x"}}}`,
		embedded(`"metadata":{"type":"object","default":{"name":"a"}}`), embedded(`"metadata":{"type":"object","default":{"name":1}}`), embedded(`"metadata":{"type":"object","default":{"labels":{"-":"a"}}}`),
		embedded(`"metadata":{"type":"object","properties":{"name":{"type":"string","default":"a/b"}}}`), embedded(`"metadata":{"type":"object","properties":{"name":{"type":"string","default":1}}}`),
		embedded(`"metadata":{"type":"object","properties":{"labels":{"type":"object","additionalProperties":{"type":"string","default":"a"}}}}`),
		embedded(`"metadata":{"type":"object","properties":{"finalizers":{"type":"array","items":{"type":"string","default":"a b"}}}}`),
		embedded(`"kind":{"type":"string","default":"A"},"apiVersion":{"type":"string","default":"v1"}`), embedded(`"kind":{"type":"string","default":"a_b"},"apiVersion":{"type":"string","default":"a/b/c"}`), embedded(`"kind":{"type":"string","default":""}`),
	}
}

// ruleEdits are on x-kubernetes-validations as far as they can be judged without CEL.
func ruleEdits() []string {
	rule := func(s string) string { return `S.properties.spec.x-kubernetes-validations=[` + s + `]` }
	return []string{
		rule(`{"rule":""}`), rule(`{"rule":"  "}`), rule(`{}`), rule(`{"rule":"true","message":" "}`), rule(`{"rule":"true","message":"a\nb"}`), rule(`{"rule":"true\n&& true"}`),
		rule(`{"rule":"true","messageExpression":" "}`), rule(`{"rule":"true","reason":"Odd"}`), rule(`{"rule":"true","reason":"FieldValueForbidden"}`),
		rule(`{"rule":"true","fieldPath":" "}`), rule(`{"rule":"true","fieldPath":".text\n"}`), rule(`{"rule":"true","fieldPath":".nope"}`), rule(`{"rule":"true","fieldPath":".text"}`),
		rule(`{"rule":"true","fieldPath":".map['a.b']"}`), rule(`{"rule":"true","fieldPath":".list[0]"}`), rule(`{"rule":"true","fieldPath":".map['a\\qb']"}`), rule(`{"rule":"true","fieldPath":"text"}`), rule(`{"rule":"true","fieldPath":".map['a'"}`),
		rule(`{"rule":"true"},{"rule":""}`),
	}
}

// celEdits are on rules that are compiled, estimated and evaluated.
func celEdits() []string {
	rule := func(s string) string { return `S.properties.spec.x-kubernetes-validations=[` + s + `]` }
	return []string{
		rule(`{"rule":"self.text == 'a'"}`), rule(`{"rule":"self.nope"}`), rule(`{"rule":"1 + 1"}`), rule(`{"rule":"self.text =="}`), rule(`{"rule":"self.count > 'a'"},{"rule":"self.flag"}`),
		rule(`{"rule":"self.text == oldSelf.text"}`), rule(`{"rule":"self.text == 'a'","messageExpression":"1"}`), rule(`{"rule":"self.text == 'a'","messageExpression":"'x' + self.text"}`),
		rule(`{"rule":"true","optionalOldSelf":true}`), rule(`{"rule":"!oldSelf.hasValue() || self == oldSelf.value()","optionalOldSelf":true}`),
		`P.list.items.x-kubernetes-validations=[{"rule":"self.k == oldSelf.k"}]`, `P.list.items.x-kubernetes-validations=[{"rule":"self.v.matches('a+')"}]`,
		rule(`{"rule":"self.list.all(a, self.list.all(b, a.k == b.k))"}`), rule(`{"rule":"self.strings.all(a, self.strings.all(b, self.strings.all(c, a == b || b == c)))"}`),
		rule(`{"rule":"self.list.all(a, self.list.all(b, a.k == b.k))"}`) + `; P.list.maxItems=10`,
		`P.text.x-kubernetes-validations=[{"rule":"self.startsWith('a')"}]; P.text.default="b"`, `P.text.x-kubernetes-validations=[{"rule":"self.startsWith('a')"}]; P.text.default="a"`,
		`P.text.x-kubernetes-validations=[{"rule":"self == oldSelf"}]; P.text.default="a"`, rule(`{"rule":"has(self.text)","message":"text it is"}`) + `; S.properties.spec.default={}`,
		rule(`{"rule":"self.nope"}`) + `; P.text={}`, rule(`{"rule":"self.nope"}`) + `; P.strings.uniqueItems=true`, `P.flag.x-kubernetes-validations=[{"rule":"self.nope"}]; P.strings.uniqueItems=true`,
		`P.x={"x-kubernetes-preserve-unknown-fields":true,"x-kubernetes-validations":[{"rule":"true"}]}`, `P.x={"x-kubernetes-int-or-string":true,"x-kubernetes-validations":[{"rule":"type(self) == int"}]}`,
		`S.x-kubernetes-validations=[{"rule":"self.metadata.name.startsWith('a')"}]`, `S.x-kubernetes-validations=[{"rule":"self.metadata.labels.size() > 0"}]`,
	}
}

// changes are updates, between good definitions and from bad ones that came into the store by themselves.
func changes() []string {
	webhook := func(more string) string {
		return `spec.conversion={"strategy":"Webhook","webhook":{"clientConfig":{"url":"https://a.b"` + more + `},"conversionReviewVersions":["v1"]}}`
	}
	const badCA = `,"caBundle":"bm90IGEgY2VydGlmaWNhdGU="`
	approved := func(group string) string {
		return `spec.group="` + group + `"; metadata.name="things.` + group + `"; metadata.annotations={"api-approved.kubernetes.io":"https://a.b"}`
	}
	same := func(bad string) string { return "stored " + bad + " -> " + bad + `; metadata.labels={"a":"b"}` }
	worse := func(bad, more string) string { return "stored " + bad + " -> " + bad + "; " + more }
	list := []string{
		`  -> metadata.labels={"a":"b"}`,
		`  -> spec.scope="Cluster"`, `  -> spec.names.kind="Other"`, `  -> spec.names.plural="others"`, `  -> spec.group="other.example.com"`,
		`  -> spec.names.singular="other"; spec.names.shortNames=["o"]; spec.names.listKind="Others"`,
		`  -> spec.names.singular="_"`, `  -> V.name="v2"`, `  -> V.served=false`, `  -> P.text.type="integer"`, `  -> P.text={}`, `  -> -V.schema`, `  -> spec.versions=[]`,
		`  -> spec.preserveUnknownFields=true`, `  -> P.text.format="strange"`, `P.text.format="strange" -> P.text.format="strange"; metadata.labels={"a":"b"}`, `P.text.format="strange" -> P.text.format="stranger"`,
		`P.list.x-kubernetes-list-type="set"; P.list.items.x-kubernetes-map-type="atomic" -> P.list.x-kubernetes-list-type="set"; P.list.items.x-kubernetes-map-type="atomic"; metadata.labels={"a":"b"}`,
		v2 + ` -> V.served=true`, v2 + ` -> ` + v2 + `; V.storage=false; spec.versions.1.storage=true`, v2 + ` -> ` + v2 + `; spec.versions.1.storage=true`, v2 + ` -> ` + v2 + `; V.storage=false`,
		approved("z1.k8s.io") + ` -> ` + approved("z1.k8s.io") + `; -metadata.annotations`, approved("z2.k8s.io") + ` -> ` + approved("z2.k8s.io") + `; metadata.annotations={"api-approved.kubernetes.io":"odd"}`, approved("z3.k8s.io") + ` -> ` + approved("z3.k8s.io") + `; metadata.annotations={"api-approved.kubernetes.io":"unapproved"}`,
		webhook("") + ` -> ` + webhook(badCA), webhook(badCA) + ` -> ` + webhook(badCA) + `; metadata.labels={"a":"b"}`, `  -> ` + webhook(badCA), webhook("") + ` -> spec.conversion={"strategy":"None"}`,
		// what is stored is as bad as it is
		same(`P.text={}`), worse(`P.text={}`, `P.count={}`), worse(`P.text={}`, `P.count.type="strange"`),
		same(`P.text.type="strange"`), worse(`P.text.type="strange"`, `P.count.type="stranger"`), `stored P.text.type="strange" -> P.text.type="string"`,
		same(`-V.schema`), same(`-V.schema; V.served=false`), same(`-V.schema; spec.preserveUnknownFields=true`), worse(`-V.schema; spec.preserveUnknownFields=true`, v2+`; -spec.versions.1.schema`),
		same(`spec.preserveUnknownFields=true`), worse(`spec.preserveUnknownFields=true`, `P.text.default="a"`), worse(`spec.preserveUnknownFields=true`, `P.text={}`), `stored spec.preserveUnknownFields=true; P.text={} -> spec.preserveUnknownFields=true; P.text={}; metadata.labels={"a":"b"}`,
		`stored spec.preserveUnknownFields=true; P.text={} -> spec.preserveUnknownFields=true; P.text={}; P.x={"x-kubernetes-int-or-string":true}`, `stored spec.preserveUnknownFields=true -> spec.preserveUnknownFields=false`, `stored spec.preserveUnknownFields=true; P.text={} -> P.text={}`,
		worse(`spec.preserveUnknownFields=true`, webhook("")),
		same(`S.properties.spec.default={"nope":1}`), worse(`S.properties.spec.default={"nope":1}`, `P.map.default={"a":1}`), worse(`S.properties.spec.default={"nope":1}`, `P.list.items.default={"k":"a","nope":1}`),
		same(`P.list.x-kubernetes-list-type="set"`), worse(`P.list.x-kubernetes-list-type="set"`, `P.x={"type":"array","x-kubernetes-list-type":"set","items":{"type":"object"}}`),
		same(`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["v"]`), worse(`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["v"]`, `P.strings.x-kubernetes-list-type="set"; P.strings.items.nullable=true`),
		same(`P.strings.uniqueItems=true`), same(`P.text.pattern="("`), same(`V.additionalPrinterColumns=[{"name":"A","type":"x","jsonPath":"."}]`),
		same(`V.selectableFields=[` + nineFields() + `]; ` + nineProperties()), worse(`V.selectableFields=[`+nineFields()+`]; `+nineProperties(), `V.selectableFields.9={"jsonPath":".spec.text"}`),
		same(`spec.conversion={"strategy":"Webhook","webhook":{"clientConfig":{"url":"https://a.b"},"conversionReviewVersions":["v9"]}}`),
		same(`spec.conversion={"strategy":"Webhook","webhook":{"clientConfig":{"url":"http://a.b"},"conversionReviewVersions":["v1"]}}`),
		same(`spec.group="w1.k8s.io"; metadata.name="things.w1.k8s.io"`), worse(`spec.group="w2.k8s.io"; metadata.name="things.w2.k8s.io"`, `metadata.annotations={"api-approved.kubernetes.io":"odd"}`),
		same(`status.storedVersions=["v0","v1"]`), `stored V.name="v1" -> V.name="v9"`,
		// rules
		`S.properties.spec.x-kubernetes-validations=[{"rule":"self.text == 'a'"}] -> S.properties.spec.x-kubernetes-validations=[{"rule":"self.text == 'a' && self.nope"}]`,
		same(`S.properties.spec.x-kubernetes-validations=[{"rule":"self.list.all(a, self.list.all(b, a.k == b.k))"}]`),
		worse(`S.properties.spec.x-kubernetes-validations=[{"rule":"self.list.all(a, self.list.all(b, a.k == b.k))"}]`, `P.text.maxLength=3`),
		same(`S.properties.spec.x-kubernetes-validations=[{"rule":"self.nope"}]`),
		// writes to status
		`status  -> status.storedVersions=[]`, `status  -> status.storedVersions=["v0"]`, `status  -> status.acceptedNames={"plural":"_","kind":"a b"}`, `status  -> spec.scope="Cluster"; status.storedVersions=["v1"]`,
		`status stored P.text={} -> status.storedVersions=["v1"]`,
	}
	return list
}
