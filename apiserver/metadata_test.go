package apiserver_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

// TestMetadataOfBulkyObjects reads the metadata of CustomResourceDefinitions, which have a cache of their own for it, in
// every way there is.
func TestMetadataOfBulkyObjects(t *testing.T) {
	g := NewWithT(t)
	s := apiservertest.Start(t, apiservertest.Options{})
	body := `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com","labels":{"a":"b"}},` +
		`"spec":{"group":"example.com","scope":"Cluster","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}`
	g.Expect(sendTo(g, s, http.MethodPost, crds, body).code).To(Equal(201))
	one, list := "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	whole := sendTo(g, s, http.MethodGet, crds+"/things.example.com", "").object["metadata"]
	g.Expect(whole).To(HaveKey("managedFields"))

	got := sendTo(g, s, http.MethodGet, crds+"/things.example.com", "", one)
	g.Expect(got.object).To(HaveKeyWithValue("kind", "PartialObjectMetadata"))
	g.Expect(got.object["metadata"]).To(Equal(whole))

	listed := sendTo(g, s, http.MethodGet, crds+"?labelSelector=a%3Db", "", list)
	items, _ := listed.object["items"].([]any)
	g.Expect(items).To(HaveLen(1))
	g.Expect(items[0].(map[string]any)["metadata"]).To(Equal(whole))

	watched := sendTo(g, s, http.MethodGet, crds+"?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dthings.example.com", "", one)
	g.Expect(watched.object).To(HaveKeyWithValue("type", "ADDED"))
	g.Expect(watched.object["object"].(map[string]any)["metadata"]).To(Equal(whole))
}
