package namespace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

// describe writes into status how the deletion goes, and says whether that changed anything.
func (c *content) describe(status *corev1.NamespaceStatus) (changed bool) {
	for _, d := range []struct {
		kind             corev1.NamespaceConditionType
		fine, fineReason string
		bad, badReason   string
	}{
		{corev1.NamespaceDeletionDiscoveryFailure, "All resources successfully discovered", "ResourcesDiscovered", c.undiscovered(), "DiscoveryFailed"},
		{corev1.NamespaceDeletionGVParsingFailure, "All legacy kube types successfully parsed", "ParsedGroupVersions", "", ""},
		{corev1.NamespaceDeletionContentFailure, "All content successfully deleted, may be waiting on finalization", "ContentDeleted", c.failed(), "ContentDeletionFailed"},
		{corev1.NamespaceContentRemaining, "All content successfully removed", "ContentRemoved", c.remain(), "SomeResourcesRemain"},
		{corev1.NamespaceFinalizersRemaining, "All content-preserving finalizers finished", "ContentHasNoFinalizers", c.held(), "SomeFinalizersRemain"},
	} {
		condition := corev1.NamespaceCondition{Type: d.kind, Status: corev1.ConditionFalse, Reason: d.fineReason, Message: d.fine}
		if d.bad != "" {
			condition.Status, condition.Reason, condition.Message = corev1.ConditionTrue, d.badReason, d.bad
		}
		changed = set(status, condition) || changed
	}
	return changed
}

// set puts a condition in the place of the one of its type. The time of transition is that of the last other status.
func set(status *corev1.NamespaceStatus, c corev1.NamespaceCondition) (changed bool) {
	c.LastTransitionTime = metav1.Now()
	at := slices.IndexFunc(status.Conditions, func(old corev1.NamespaceCondition) bool { return old.Type == c.Type })
	if at < 0 {
		status.Conditions = append(status.Conditions, c)
		return true
	}
	if old := status.Conditions[at]; old.Status == c.Status {
		c.LastTransitionTime = old.LastTransitionTime
	}
	changed = status.Conditions[at] != c
	status.Conditions[at] = c
	return changed
}

func (c *content) undiscovered() string {
	var stale *client.StaleError
	switch {
	case errors.As(c.discovery, &stale):
		return fmt.Sprintf("Discovery failed for some groups, %d failing: %v", len(stale.GroupVersions), stale)
	case c.discovery != nil:
		return c.discovery.Error()
	}
	return ""
}

func (c *content) failed() string {
	if len(c.failures) == 0 {
		return ""
	}
	var texts []string
	for _, err := range c.failures {
		texts = append(texts, err.Error())
	}
	slices.Sort(texts)
	return fmt.Sprintf("Failed to delete all resource types, %d remaining: %v", len(texts), strings.Join(texts, ", "))
}

func (c *content) remain() string {
	var texts []string
	for r, n := range c.remaining {
		texts = append(texts, fmt.Sprintf("%s.%s has %d resource instances", r.Resource, r.Group, n))
	}
	return sentence("Some resources are remaining: ", texts)
}

func (c *content) held() string {
	var texts []string
	for f, n := range c.finalizers {
		texts = append(texts, fmt.Sprintf("%s in %d resource instances", f, n))
	}
	return sentence("Some content in the namespace has finalizers remaining: ", texts)
}

func sentence(begin string, texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	slices.Sort(texts)
	return begin + strings.Join(texts, ", ")
}
