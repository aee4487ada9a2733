package crd

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/rules"
)

// definitionStatus computes and writes back the status of one CustomResourceDefinition, which kube-apiserver
// leaves to four controllers and several writes.
type definitionStatus struct {
	*apiextensionsv1.CustomResourceDefinition // with status, and of spec what status depends on
	now                                       time.Time
}

// readStatus decodes obj, without the schemas.
func readStatus(obj resource.Object, now time.Time) (*definitionStatus, error) {
	s := &definitionStatus{CustomResourceDefinition: &apiextensionsv1.CustomResourceDefinition{}, now: now}
	slim := map[string]any{"metadata": obj["metadata"], "status": obj["status"]}
	if spec, ok := obj["spec"].(map[string]any); ok {
		slimSpec := map[string]any{}
		for _, name := range []string{"group", "names", "scope", "conversion"} {
			slimSpec[name] = spec[name]
		}
		var versions []any
		list, _ := spec["versions"].([]any)
		for _, v := range list {
			if v, ok := v.(map[string]any); ok {
				versions = append(versions, map[string]any{"name": v["name"], "storage": v["storage"]})
			}
		}
		slimSpec["versions"] = versions
		slim["spec"] = slimSpec
	}
	for name, value := range slim {
		if value == nil {
			delete(slim, name)
		}
	}
	err := kruntime.DefaultUnstructuredConverter.FromUnstructured(slim, s.CustomResourceDefinition)
	return s, err
}

// write puts the status into obj.
func (s *definitionStatus) write(obj resource.Object) {
	status, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(&s.Status)
	if err == nil { // a status of plain fields always converts
		obj["status"] = status
	}
}

// refresh accepts the names that used leaves free and sets the conditions that follow, for the spec of generation.
func (s *definitionStatus) refresh(used usedNames, generation int64) {
	accepted := s.acceptNames(used)
	accepted.ObservedGeneration = generation
	s.set(accepted)
	s.set(s.established(accepted.Status == apiextensionsv1.ConditionTrue, generation))
	if approval := s.approval(); approval != nil {
		approval.ObservedGeneration = generation
		s.set(*approval)
	}
	s.Status.ObservedGeneration = generation
}

// noteStorage adds the version that objects will be stored in to those in which there may be some.
func (s *definitionStatus) noteStorage() {
	for i := range s.Spec.Versions {
		v := &s.Spec.Versions[i]
		if !v.Storage {
			continue
		}
		if !slices.Contains(s.Status.StoredVersions, v.Name) {
			s.Status.StoredVersions = append(s.Status.StoredVersions, v.Name)
		}
		return // a second one will be refused
	}
}

// noteStructure sets or removes the condition of definitions that are not structural.
func (s *definitionStatus) noteStructure(whole *apiextensionsv1.CustomResourceDefinition) {
	if c := rules.NonStructural(whole); c != nil {
		c.ObservedGeneration = s.Status.ObservedGeneration
		s.set(*c)
		return
	}
	s.Status.Conditions = slices.DeleteFunc(s.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.NonStructuralSchema
	})
}

// acceptNames moves the names of spec into status.acceptedNames as far as they are free. A name that cannot be
// had leaves the accepted one in place.
func (s *definitionStatus) acceptNames(used usedNames) apiextensionsv1.CustomResourceDefinitionCondition {
	want, have := s.Spec.Names, &s.Status.AcceptedNames
	condition := apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.NamesAccepted, Status: apiextensionsv1.ConditionTrue,
		Reason: "NoConflicts", Message: "no conflicts found",
	}
	conflict := func(reason string, err error) {
		condition.Status = apiextensionsv1.ConditionFalse
		condition.Reason, condition.Message = reason, err.Error()
	}
	accept := func(reason string, want string, have *string, taken func(string) bool) {
		if want != *have && taken(want) {
			conflict(reason, inUse(want))
			return
		}
		*have = want
	}
	accept("PluralConflict", want.Plural, &have.Plural, used.resource)
	accept("SingularConflict", want.Singular, &have.Singular, used.resource)
	if !reflect.DeepEqual(want.ShortNames, have.ShortNames) {
		var errs []error
		for _, name := range want.ShortNames {
			if !slices.Contains(have.ShortNames, name) && used.resource(name) {
				errs = append(errs, inUse(name))
			}
		}
		if err := utilerrors.NewAggregate(errs); err != nil {
			conflict("ShortNamesConflict", err)
		} else {
			have.ShortNames = want.ShortNames
		}
	}
	accept("KindConflict", want.Kind, &have.Kind, used.kind)
	accept("ListKindConflict", want.ListKind, &have.ListKind, used.kind)
	have.Categories = want.Categories
	return condition
}

func inUse(name string) error { return fmt.Errorf("%q is already in use", name) }

// established stays once it is true: what is served is not taken away by a later conflict of names.
func (s *definitionStatus) established(accepted bool, generation int64) apiextensionsv1.CustomResourceDefinitionCondition {
	c := apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionFalse,
		Reason: "NotAccepted", Message: "not all names are accepted", ObservedGeneration: generation,
	}
	switch old := s.find(apiextensionsv1.Established); {
	case old != nil && old.Status == apiextensionsv1.ConditionTrue:
		c = *old
		c.ObservedGeneration = generation
	case accepted && s.badCABundle():
		c.Reason, c.Message = "InvalidCABundle", "The conversion webhook CABundle is invalid"
	case accepted:
		c.Status = apiextensionsv1.ConditionTrue
		c.Reason, c.Message = "InitialNamesAccepted", "the initial names have been accepted"
	}
	return c
}

func (s *definitionStatus) badCABundle() bool {
	c := s.Spec.Conversion
	return c != nil && c.Webhook != nil && c.Webhook.ClientConfig != nil &&
		rules.CheckCABundle(c.Webhook.ClientConfig.CABundle) != nil
}

func (s *definitionStatus) find(t apiextensionsv1.CustomResourceDefinitionConditionType) *apiextensionsv1.CustomResourceDefinitionCondition {
	for i := range s.Status.Conditions {
		if s.Status.Conditions[i].Type == t {
			return &s.Status.Conditions[i]
		}
	}
	return nil
}

// set replaces or adds a condition; the time of transition moves with its status only.
func (s *definitionStatus) set(c apiextensionsv1.CustomResourceDefinitionCondition) {
	old := s.find(c.Type)
	if old != nil && old.Status == c.Status && !old.LastTransitionTime.IsZero() {
		c.LastTransitionTime = old.LastTransitionTime
	} else {
		c.LastTransitionTime = metav1.NewTime(s.now.Truncate(time.Second))
	}
	if old != nil {
		*old = c
		return
	}
	s.Status.Conditions = append(s.Status.Conditions, c)
}

// approval is the condition of groups that belong to the Kubernetes community; nil for all others.
func (s *definitionStatus) approval() *apiextensionsv1.CustomResourceDefinitionCondition {
	if !rules.IsCommunityGroup(s.Spec.Group) {
		return nil
	}
	state, message := rules.Approval(s.Annotations)
	status := apiextensionsv1.ConditionFalse
	if state == rules.Approved {
		status = apiextensionsv1.ConditionTrue
	}
	return &apiextensionsv1.CustomResourceDefinitionCondition{
		Type: apiextensionsv1.KubernetesAPIApprovalPolicyConformant, Status: status,
		Reason: string(state), Message: message,
	}
}
