package builtin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// immutableText is Kubernetes' answer to a change of a ConfigMap or Secret that is marked immutable.
const immutableText = "field is immutable when `immutable` is set"

func (k kinds) configMap() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{
			Plural: "configmaps", Singular: "configmap", Kind: "ConfigMap", ListKind: "ConfigMapList",
			ShortNames: []string{"cm"},
		},
		Namespaced: true, Storage: "v1", Prefix: "/registry/configmaps/",
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.ConfigMap{},
			Schema: k.compiler.Schema("io.k8s.api.core.v1.ConfigMap", &corev1.ConfigMap{}, nil),
			Columns: []resource.Column{
				column("Data", "string", corev1.ConfigMap{}.SwaggerDoc()["data"], func(obj resource.Object) any {
					return int64(len(fieldsOf(obj, "data")) + len(fieldsOf(obj, "binaryData")))
				}),
				ageColumn(),
			},
		}},
		Hooks: resource.Hooks{Validate: validateConfigMap},
	}
}

func validateConfigMap(_ context.Context, obj, old resource.Object) field.ErrorList {
	data, binary := fieldsOf(obj, "data"), fieldsOf(obj, "binaryData")
	var errs field.ErrorList
	size := 0
	for _, key := range sortedKeys(data) {
		at := field.NewPath("data").Key(key)
		errs = append(errs, validateDataKey(key, at)...)
		if _, twice := binary[key]; twice {
			errs = append(errs, field.Invalid(at, key, "duplicate of key present in binaryData"))
		}
		size += len(text(data, key))
	}
	for _, key := range sortedKeys(binary) {
		errs = append(errs, validateDataKey(key, field.NewPath("binaryData").Key(key))...)
		size += decodedLen(text(binary, key))
	}
	if size > corev1.MaxSecretSize {
		// The empty path says that the whole object is meant.
		errs = append(errs, field.TooLong(field.NewPath(""), "", corev1.MaxSecretSize))
	}
	return append(errs, validateImmutable(obj, old, "data", "binaryData")...)
}

// validateImmutable forbids changes of the fields once old is marked immutable.
func validateImmutable(obj, old resource.Object, names ...string) field.ErrorList {
	if !truth(old, "immutable") {
		return nil
	}
	var errs field.ErrorList
	if !truth(obj, "immutable") {
		errs = append(errs, field.Forbidden(field.NewPath("immutable"), immutableText))
	}
	for _, name := range names {
		if !same(obj[name], old[name]) {
			errs = append(errs, field.Forbidden(field.NewPath(name), immutableText))
		}
	}
	return errs
}

func validateDataKey(key string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsConfigMapKey(key) {
		errs = append(errs, field.Invalid(at, key, msg))
	}
	return errs
}

func (k kinds) secret() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{Plural: "secrets", Singular: "secret", Kind: "Secret", ListKind: "SecretList"},

		Namespaced: true, Storage: "v1", Prefix: "/registry/secrets/",
		SelectableFields: []resource.SelectableField{{Name: "type", Path: []string{"type"}}},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.Secret{},
			Schema: k.compiler.Schema("io.k8s.api.core.v1.Secret", &corev1.Secret{}, defaultSecret),
			Columns: []resource.Column{
				atPath("Type", corev1.Secret{}.SwaggerDoc()["type"], "type"),
				column("Data", "string", corev1.Secret{}.SwaggerDoc()["data"], func(obj resource.Object) any {
					return int64(len(fieldsOf(obj, "data")))
				}),
				ageColumn(),
			},
		}},
		Hooks: resource.Hooks{Validate: validateSecret},
	}
}

// defaultSecret merges the write-only stringData into data, and gives a secret its type.
func defaultSecret(obj resource.Object) {
	if plain := fieldsOf(obj, "stringData"); len(plain) > 0 {
		data := child(obj, "data")
		for key, v := range plain {
			s, _ := v.(string)
			data[key] = base64.StdEncoding.EncodeToString([]byte(s))
		}
	}
	delete(obj, "stringData")
	orElse(obj, "type", string(corev1.SecretTypeOpaque))
}

func validateSecret(_ context.Context, obj, old resource.Object) field.ErrorList {
	data, at := fieldsOf(obj, "data"), field.NewPath("data")
	var errs field.ErrorList
	size := 0
	for _, key := range sortedKeys(data) {
		errs = append(errs, validateDataKey(key, at.Key(key))...)
		size += decodedLen(text(data, key))
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(at, "", corev1.MaxSecretSize))
	}
	errs = append(errs, validateSecretType(obj, data, at)...)
	if old != nil {
		if kind := text(obj, "type"); kind != text(old, "type") {
			errs = append(errs, immutable(field.NewPath("type"), kind))
		}
		errs = append(errs, validateImmutable(obj, old, "data")...)
	}
	return errs
}

// validateSecretType checks that a secret holds what its type promises.
func validateSecretType(obj resource.Object, data map[string]any, at *field.Path) field.ErrorList {
	need := func(keys ...string) (errs field.ErrorList) {
		for _, key := range keys {
			errs = append(errs, field.Required(at.Key(key), ""))
		}
		return errs
	}
	missing := func(key string) bool { _, ok := data[key]; return !ok }
	switch corev1.SecretType(text(obj, "type")) {
	case corev1.SecretTypeServiceAccountToken:
		if text(obj, "metadata", "annotations", corev1.ServiceAccountNameKey) == "" {
			return field.ErrorList{field.Required(field.NewPath("metadata", "annotations").Key(corev1.ServiceAccountNameKey), "")}
		}
	case corev1.SecretTypeDockercfg:
		return validateDockerConfig(data, corev1.DockerConfigKey, at)
	case corev1.SecretTypeDockerConfigJson:
		return validateDockerConfig(data, corev1.DockerConfigJsonKey, at)
	case corev1.SecretTypeBasicAuth:
		if missing(corev1.BasicAuthUsernameKey) && missing(corev1.BasicAuthPasswordKey) {
			return need(corev1.BasicAuthUsernameKey, corev1.BasicAuthPasswordKey)
		}
	case corev1.SecretTypeSSHAuth:
		if text(data, corev1.SSHAuthPrivateKey) == "" {
			return need(corev1.SSHAuthPrivateKey)
		}
	case corev1.SecretTypeTLS:
		return need(slices.DeleteFunc([]string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey}, func(key string) bool { return !missing(key) })...)
	}
	return nil
}

func validateDockerConfig(data map[string]any, key string, at *field.Path) field.ErrorList {
	encoded, ok := data[key].(string)
	if !ok {
		return field.ErrorList{field.Required(at.Key(key), "")}
	}
	raw, _ := base64.StdEncoding.DecodeString(encoded) // its form was checked with the types
	if err := json.Unmarshal(raw, &map[string]any{}); err != nil {
		return field.ErrorList{field.Invalid(at.Key(key), "<secret contents redacted>", err.Error())}
	}
	return nil
}

// decodedLen is the number of bytes that base64 text stands for.
func decodedLen(encoded string) int {
	n := base64.StdEncoding.DecodedLen(len(encoded))
	for i := len(encoded); i > 0 && encoded[i-1] == '='; i-- {
		n--
	}
	return n
}

func (k kinds) serviceAccount() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{
			Plural: "serviceaccounts", Singular: "serviceaccount", Kind: "ServiceAccount", ListKind: "ServiceAccountList",
			ShortNames: []string{"sa"},
		},
		Namespaced: true, Storage: "v1", Prefix: "/registry/serviceaccounts/", AnswersDeleted: true,
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.ServiceAccount{},
			Schema:  k.compiler.Schema("io.k8s.api.core.v1.ServiceAccount", &corev1.ServiceAccount{}, nil),
			Columns: []resource.Column{ageColumn()},
		}},
	}
}
