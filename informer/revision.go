package informer

import "k8s.io/apimachinery/pkg/util/resourceversion"

// A resourceVersion is a decimal number of any length (KEP-5504); servers before v1.35 had numbers, too, without
// saying so. One that is none can be resumed from, but not compared: nothing is newer than it, nor it than anything.

// isRevision says whether a resourceVersion can be compared.
func isRevision(rv string) bool {
	_, err := resourceversion.CompareResourceVersion(rv, rv)
	return err == nil
}

// newer says whether a is a later revision than b; every revision is later than "".
func newer(a, b string) bool {
	if b == "" {
		return isRevision(a)
	}
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}

// reached says whether a collection at revision now shows rv.
func reached(now, rv string) bool {
	order, err := resourceversion.CompareResourceVersion(now, rv)
	return err == nil && order >= 0
}
