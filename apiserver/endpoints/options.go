package endpoints

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	ivalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/registry"
)

// listQuery is what the query of a list, watch or deletecollection says.
type listQuery struct {
	registry.ListOptions
	initialEvents *bool
	bookmarks     bool
	timeout       time.Duration // zero: not given
}

func parseListQuery(q url.Values, watch bool) (*listQuery, error) {
	l := &listQuery{}
	var err error
	if s := q.Get("labelSelector"); s != "" {
		if l.Labels, err = labels.Parse(s); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	if s := q.Get("fieldSelector"); s != "" {
		if l.Fields, err = fields.ParseSelector(s); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	if s := q.Get("shardSelector"); s != "" {
		if l.Shards, err = registry.ParseShardSelector(s); err != nil {
			return nil, apierrors.NewBadRequest("invalid shard selector: " + err.Error())
		}
	}
	if l.Limit, err = intParam(q, "limit"); err != nil {
		return nil, err
	}
	seconds, err := intParam(q, "timeoutSeconds")
	if err != nil {
		return nil, err
	}
	l.timeout = time.Duration(seconds) * time.Second
	l.ResourceVersion = q.Get("resourceVersion")
	l.ResourceVersionMatch = metav1.ResourceVersionMatch(q.Get("resourceVersionMatch"))
	l.Continue = q.Get("continue")
	l.bookmarks = isTrue(q.Get("allowWatchBookmarks"))
	if q.Has("sendInitialEvents") {
		v := isTrue(q.Get("sendInitialEvents"))
		l.initialEvents = &v
	}
	return l, l.validate(watch)
}

// validate applies Kubernetes' rules on what may be combined.
func (l *listQuery) validate(watch bool) error {
	o := &internalversion.ListOptions{
		Watch: watch, ResourceVersion: l.ResourceVersion, ResourceVersionMatch: l.ResourceVersionMatch,
		Limit: l.Limit, Continue: l.Continue, SendInitialEvents: l.initialEvents, AllowWatchBookmarks: l.bookmarks,
	}
	if errs := ivalidation.ValidateListOptions(o, true); len(errs) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", errs)
	}
	if l.Continue != "" && l.ResourceVersion != "" && l.ResourceVersion != "0" {
		return apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
	}
	if _, err := registry.ParseRevision(l.ResourceVersion); err != nil {
		return invalidRevision(err, watch)
	}
	return nil
}

// invalidRevision is the answer to a resourceVersion that is no number. For watches and reads of single objects it is
// nobody's business in kube-apiserver before the store, whose error comes out as it is.
func invalidRevision(err error, plain bool) error {
	if plain {
		return errors.New("resourceVersion: " + err.Error())
	}
	return apierrors.NewBadRequest("invalid resource version: resourceVersion: " + err.Error())
}

func intParam(q url.Values, name string) (int64, error) {
	s := q.Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, apierrors.NewBadRequest(err.Error())
	}
	return n, nil
}

// parseWriteQuery reads the parameters of creates and updates; kind names their options.
func parseWriteQuery(r *http.Request, kind string) (registry.WriteOptions, error) {
	q := r.URL.Query()
	return writeOptions(r, kind, validation.ValidateCreateOptions(&metav1.CreateOptions{
		DryRun: q["dryRun"], FieldManager: q.Get("fieldManager"), FieldValidation: q.Get("fieldValidation"),
	}))
}

// parsePatchQuery reads the parameters of a patch of that type.
func parsePatchQuery(r *http.Request, kind patch.Type) (registry.WriteOptions, error) {
	q := r.URL.Query()
	p := metav1.PatchOptions{
		DryRun: q["dryRun"], FieldManager: q.Get("fieldManager"), FieldValidation: q.Get("fieldValidation"),
	}
	if q.Get("force") != "" {
		force := isTrue(q.Get("force"))
		p.Force = &force
	}
	o, err := writeOptions(r, "PatchOptions", validation.ValidatePatchOptions(&p, types.PatchType(kind)))
	o.Force = p.Force != nil && *p.Force
	return o, err
}

// writeOptions are those that the query gives, unless errs found something wrong there.
func writeOptions(r *http.Request, kind string, errs field.ErrorList) (registry.WriteOptions, error) {
	if len(errs) > 0 {
		return registry.WriteOptions{}, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
	}
	q := r.URL.Query()
	o := registry.WriteOptions{
		DryRun: len(q["dryRun"]) > 0, FieldManager: q.Get("fieldManager"),
		FieldValidation: registry.FieldValidation(q.Get("fieldValidation")),
	}
	if o.FieldValidation == "" {
		o.FieldValidation = registry.Warn
	}
	if o.FieldManager == "" {
		o.FieldManager = managerFrom(r.UserAgent())
	}
	return o, nil
}

// managerFrom names who writes by the program in its User-Agent, as far as that can be printed.
func managerFrom(userAgent string) string {
	program, _, _ := strings.Cut(userAgent, "/")
	name := make([]byte, 0, len(program))
	for _, c := range program {
		if !unicode.IsPrint(c) {
			continue
		}
		if len(name)+utf8.RuneLen(c) > validation.FieldManagerMaxLength {
			break
		}
		name = utf8.AppendRune(name, c)
	}
	return string(name)
}

// parseDelete reads DeleteOptions from the body, or from the query where there is no body.
func parseDelete(q url.Values, contentType string, body []byte) (metav1.DeleteOptions, error) {
	var o metav1.DeleteOptions
	if len(body) > 0 {
		if err := decodeDeleteOptions(contentType, body, &o); err != nil {
			return o, err
		}
	} else if err := deleteQuery(q, &o); err != nil {
		return o, err
	}
	if errs := validation.ValidateDeleteOptions(&o); len(errs) > 0 {
		return o, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", errs)
	}
	return o, nil
}

func decodeDeleteOptions(contentType string, body []byte, o *metav1.DeleteOptions) error {
	media, _, _ := strings.Cut(contentType, ";")
	var err error
	switch strings.TrimSpace(media) {
	case "", mediaJSON:
		err = json.Unmarshal(body, o)
	case mediaYAML:
		err = yaml.Unmarshal(body, o)
	case mediaProtobuf:
		err = unwrapProtobuf(body, o)
	default:
		return unsupportedMediaType(acceptedMedia)
	}
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if o.Kind != "" && o.Kind != "DeleteOptions" {
		return apierrors.NewBadRequest(notRegistered(o.GroupVersionKind()))
	}
	return nil
}

func deleteQuery(q url.Values, o *metav1.DeleteOptions) error {
	o.DryRun = q["dryRun"]
	if s := q.Get("gracePeriodSeconds"); s != "" {
		n, err := intParam(q, "gracePeriodSeconds")
		if err != nil {
			return err
		}
		o.GracePeriodSeconds = &n
	}
	if s := q.Get("propagationPolicy"); s != "" {
		p := metav1.DeletionPropagation(s)
		o.PropagationPolicy = &p
	}
	if q.Has("orphanDependents") {
		v := isTrue(q.Get("orphanDependents"))
		o.OrphanDependents = &v //nolint:staticcheck // deprecated, still served
	}
	if s := q.Get("uid"); s != "" {
		uid := types.UID(s)
		o.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	return nil
}
