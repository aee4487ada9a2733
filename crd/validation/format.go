package validation

import (
	"strings"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

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

// formatCheck returns what decides whether a string has the format; nil where every string has it, as with those of
// numbers. Formats that are common in CustomResourceDefinitions are asked for directly: the registry has one lock for
// all.
func formatCheck(format string) func(string) bool {
	switch strings.ReplaceAll(format, "-", "") {
	case "datetime":
		return isDateTime
	case "date":
		return strfmt.IsDate
	case "duration":
		return strfmt.IsDuration
	case "email":
		return strfmt.IsEmail
	case "hostname":
		return strfmt.IsHostname
	case "uuid":
		return strfmt.IsUUID
	case "k8sshortname":
		return strfmt.IsShortName
	case "k8slongname":
		return strfmt.IsLongName
	case "password":
		return nil
	}
	if !strfmt.Default.ContainsName(format) {
		return nil
	}
	return func(s string) bool { return strfmt.Default.Validates(format, s) }
}

// isDateTime is strfmt.IsDateTime, which takes microseconds, with a short way for times as Kubernetes writes them.
func isDateTime(s string) bool {
	const form = "dddd-dd-ddTdd:dd:ddZ"
	if len(s) != len(form) || !isDigits(s, form) || s[11:13] > "23" || s[14:16] > "59" || s[17:19] > "59" ||
		s[5:7] < "01" || s[5:7] > "12" || s[8:10] < "01" || s[8:10] > "28" {
		return strfmt.IsDateTime(s)
	}
	return true
}

// isDigits says whether s has a digit wherever form has a d, and is form elsewhere.
func isDigits(s, form string) bool {
	for i := range len(form) {
		if form[i] == 'd' && (s[i] < '0' || s[i] > '9') || form[i] != 'd' && s[i] != form[i] {
			return false
		}
	}
	return true
}
