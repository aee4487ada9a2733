package client

import (
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// listQuery is o as it goes on the wire.
func listQuery(o metav1.ListOptions) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("labelSelector", o.LabelSelector)
	set("fieldSelector", o.FieldSelector)
	set("shardSelector", o.ShardSelector)
	set("resourceVersion", o.ResourceVersion)
	set("resourceVersionMatch", string(o.ResourceVersionMatch))
	set("continue", o.Continue)
	if o.Limit > 0 {
		set("limit", strconv.FormatInt(o.Limit, 10))
	}
	if o.Watch {
		set("watch", "true")
	}
	if o.AllowWatchBookmarks {
		set("allowWatchBookmarks", "true")
	}
	if o.SendInitialEvents != nil {
		set("sendInitialEvents", strconv.FormatBool(*o.SendInitialEvents))
	}
	if o.TimeoutSeconds != nil {
		set("timeoutSeconds", strconv.FormatInt(*o.TimeoutSeconds, 10))
	}
	return q.Encode()
}

// query is o as it goes on the wire; patch says that force means something.
func (o *WriteOptions) query(patch bool) string {
	q := make([]byte, 0, 64)
	add := func(name, value string) {
		if value == "" {
			return
		}
		if len(q) > 0 {
			q = append(q, '&')
		}
		q = append(append(append(q, name...), '='), url.QueryEscape(value)...)
	}
	if o.DryRun {
		add("dryRun", metav1.DryRunAll)
	}
	add("fieldManager", o.FieldOwner)
	add("fieldValidation", o.FieldValidation)
	if patch && o.Force {
		add("force", "true")
	}
	return string(q)
}
