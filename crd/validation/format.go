package validation

import "strings"

// supportedFormat returns format if kube-apiserver 1.37 checks it on values of the given types, else "".
func supportedFormat(types []string, format string) string {
	kind := ""
	if len(types) == 1 {
		kind = types[0]
	}
	if format == "" || !IsSupportedFormat(kind, format) {
		return ""
	}
	return format
}

// IsSupportedFormat says whether format is checked on values of a type; "" stands for no or more than one type.
// All others are ignored, with a warning when the CustomResourceDefinition is written.
func IsSupportedFormat(kind, format string) bool {
	switch kind {
	case "", "string":
		switch strings.ReplaceAll(format, "-", "") {
		case "bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac",
			"uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn",
			"hexcolor", "rgbcolor", "byte", "password", "date", "duration", "datetime",
			"k8sshortname", "k8slongname":
			return true
		}
	case "integer":
		return format == "int32" || format == "int64"
	case "number":
		return format == "float" || format == "double"
	}
	return false
}
