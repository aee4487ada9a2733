package openapi

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
)

// audience says what a document is about, which decides what is said of models that belong to every group.
type audience struct {
	// gv of the document of one group and version; zero: v2, which is about all.
	gv schema.GroupVersion
	// custom: the document is about custom kinds.
	custom bool
}

// everyGroup are the groups and versions that Kubernetes knows, those that are not served included: it registers
// DeleteOptions and WatchEvent in each of them, and says so.
const everyGroup = `/v1 admission.k8s.io/v1,v1beta1 admissionregistration.k8s.io/v1,v1alpha1,v1beta1 apiextensions.k8s.io/v1,v1beta1
apiregistration.k8s.io/v1,v1beta1 apps/v1,v1beta1,v1beta2 authentication.k8s.io/v1,v1alpha1,v1beta1 authorization.k8s.io/v1,v1beta1
autoscaling/v1,v2 batch/v1,v1beta1 certificates.k8s.io/v1,v1alpha1,v1beta1 coordination.k8s.io/v1,v1alpha2,v1beta1
discovery.k8s.io/v1,v1beta1 events.k8s.io/v1,v1beta1 extensions/v1beta1 flowcontrol.apiserver.k8s.io/v1,v1beta1,v1beta2,v1beta3
imagepolicy.k8s.io/v1alpha1 internal.apiserver.k8s.io/v1alpha1 lifecycle.k8s.io/v1alpha1 networking.k8s.io/v1,v1beta1
node.k8s.io/v1,v1alpha1,v1beta1 policy/v1,v1beta1 rbac.authorization.k8s.io/v1,v1alpha1,v1beta1
resource.k8s.io/v1,v1alpha3,v1beta1,v1beta2 scheduling.k8s.io/v1,v1alpha3,v1beta1 storage.k8s.io/v1,v1alpha1,v1beta1
storagemigration.k8s.io/v1,v1beta1`

// kindsOf returns the kinds that a model is published as: registered (GROUP/VERSION/KIND each), or for the two that are
// in every group, what Kubernetes says of them.
func (a audience) kindsOf(model string, registered []string) []schema.GroupVersionKind {
	var out []schema.GroupVersionKind
	if model != models.DeleteOptions && model != models.WatchEvent {
		for _, r := range registered {
			p := strings.SplitN(r, "/", 3)
			out = append(out, schema.GroupVersionKind{Group: p[0], Version: p[1], Kind: p[2]})
		}
		return out
	}
	kind := model[strings.LastIndexByte(model, '.')+1:]
	for part := range strings.FieldsSeq(everyGroup) {
		group, versions, _ := strings.Cut(part, "/")
		for version := range strings.SplitSeq(versions, ",") {
			if gv := (schema.GroupVersion{Group: group, Version: version}); a.tells(gv) {
				out = append(out, gv.WithKind(kind))
			}
		}
	}
	return out
}

// tells says whether the document names gv. Those of custom kinds go by what client-go knows, which has no types for
// some groups.
func (a audience) tells(gv schema.GroupVersion) bool {
	switch {
	case a.custom:
		switch gv.Group {
		case "admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io":
			return false
		}
		return true
	case a.gv.Empty():
		return true
	}
	return gv.Group == "" || gv == a.gv
}
