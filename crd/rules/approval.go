package rules

import (
	"fmt"
	"net/url"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ApprovalState says what a definition in a group of the Kubernetes community tells of its review. It is also the
// reason of the condition KubernetesAPIApprovalPolicyConformant.
type ApprovalState string

// The states that Approval knows.
const (
	Approved        ApprovalState = "ApprovedAnnotation"
	Unapproved      ApprovalState = "UnapprovedAnnotation"
	ApprovalMissing ApprovalState = "MissingAnnotation"
	ApprovalInvalid ApprovalState = "InvalidAnnotation"
)

// IsCommunityGroup says whether a group is one of k8s.io or kubernetes.io, whose APIs need a review.
func IsCommunityGroup(group string) bool {
	return group == "k8s.io" || strings.HasSuffix(group, ".k8s.io") ||
		group == "kubernetes.io" || strings.HasSuffix(group, ".kubernetes.io")
}

// Approval reads the annotation by which a community group's API says that it was reviewed. The message is the
// condition's.
func Approval(annotations map[string]string) (state ApprovalState, message string) {
	const name, see = apiextensionsv1.KubeAPIApprovedAnnotation, "see https://github.com/kubernetes/enhancements/pull/1111"
	value := annotations[name]
	if value == "" {
		return ApprovalMissing, fmt.Sprintf("protected groups must have approval annotation %q, %s", name, see)
	}
	if strings.HasPrefix(value, "unapproved") {
		return Unapproved, fmt.Sprintf("not approved: %q", value)
	}
	if u, err := url.ParseRequestURI(value); err == nil && u.Host != "" && u.Scheme != "" {
		return Approved, fmt.Sprintf("approved in %v", value)
	}
	return ApprovalInvalid, fmt.Sprintf("protected groups must have approval annotation %q with either a URL or a "+
		"reason starting with \"unapproved\", %s", name, see)
}

// validateApproval refuses a bad annotation where there was another before.
func validateApproval(c, old *definition) field.ErrorList {
	if !IsCommunityGroup(c.Spec.Group) {
		return nil
	}
	state, message := Approval(c.Annotations)
	if old != nil {
		if before, _ := Approval(old.Annotations); before == state {
			return nil
		}
	}
	at := field.NewPath("metadata", "annotations").Key(apiextensionsv1.KubeAPIApprovedAnnotation)
	switch state {
	case ApprovalMissing:
		return field.ErrorList{field.Required(at, message)}
	case ApprovalInvalid:
		return field.ErrorList{field.Invalid(at, c.Annotations[apiextensionsv1.KubeAPIApprovedAnnotation], message)}
	}
	return nil
}
