package apiserver_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagemigrationv1beta1 "k8s.io/api/storagemigration/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// inProtobuf is how kube-apiserver stores an object.
func inProtobuf(g *WithT, apiVersion, kind string, obj interface{ Marshal() ([]byte, error) }) []byte {
	raw, err := obj.Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	data, err := (&kruntime.Unknown{TypeMeta: kruntime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: raw}).Marshal()
	g.Expect(err).NotTo(HaveOccurred())
	return append([]byte("k8s\x00"), data...)
}

// TestKubernetesData serves what kube-apiserver has stored: built-in kinds in protobuf.
func TestKubernetesData(t *testing.T) {
	g := NewWithT(t)
	ctx := context.Background()
	store := memory.New(memory.Options{})
	put := func(key string, value []byte) {
		_, err := store.Put(ctx, key, value, 0, storage.PutOptions{})
		g.Expect(err).NotTo(HaveOccurred())
	}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "default", UID: "u-1", Labels: map[string]string{"by": "kube"}}
	}
	put("/registry/namespaces/default", inProtobuf(g, "v1", "Namespace", &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "default", UID: "u-0"}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
	}))
	put("/registry/configmaps/default/a", inProtobuf(g, "v1", "ConfigMap", &corev1.ConfigMap{ObjectMeta: meta("a"), Data: map[string]string{"k": "v"}}))
	replicas := int32(3)
	put("/registry/deployments/default/d", inProtobuf(g, "apps/v1", "Deployment", &appsv1.Deployment{ObjectMeta: meta("d"), Spec: appsv1.DeploymentSpec{Replicas: &replicas}}))
	put("/registry/events/default/e", inProtobuf(g, "v1", "Event", &corev1.Event{ObjectMeta: meta("e"), Type: "Normal"}))
	s := apiservertest.Start(t, apiservertest.Options{Store: store})
	migration := &storagemigrationv1beta1.StorageVersionMigration{ObjectMeta: metav1.ObjectMeta{Name: "m", UID: "u-2"}}
	migration.Spec.Resource.Resource = "configmaps"
	put("/registry/storageversionmigrations/m", inProtobuf(g, "storagemigration.k8s.io/v1beta1", "StorageVersionMigration", migration))

	const maps = "/api/v1/namespaces/default/configmaps"
	a := sendTo(g, s, "GET", maps+"/a", "")
	g.Expect(a.code).To(Equal(200), a.body)
	g.Expect(a.at("data", "k")).To(Equal("v"))
	g.Expect(a.at("metadata", "uid")).To(Equal("u-1"))
	g.Expect(sendTo(g, s, "GET", maps+"?labelSelector=by%3Dkube", "").at("items")).To(HaveLen(1))
	g.Expect(sendTo(g, s, "GET", "/apis/apps/v1/namespaces/default/deployments/d", "").at("spec", "replicas")).To(BeEquivalentTo(3))
	g.Expect(sendTo(g, s, "GET", "/api/v1/namespaces/default/events/e", "").object).To(HaveKeyWithValue("lastTimestamp", BeNil()))
	m := sendTo(g, s, "GET", "/apis/storagemigration.k8s.io/v1/storageversionmigrations/m", "") // stored in a version that is not served
	g.Expect(m.at("apiVersion")).To(Equal("storagemigration.k8s.io/v1"), m.body)
	g.Expect(m.at("spec", "resource", "resource")).To(Equal("configmaps"))
	// An update stores JSON; what others write later in protobuf is watched like everything else.
	a = sendTo(g, s, "PATCH", maps+"/a", `{"data":{"k":"w"}}`, "Content-Type: application/merge-patch+json")
	g.Expect(a.code).To(Equal(200), a.body)
	got, err := store.Get(ctx, "/registry/configmaps/default/a", storage.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(got.KV.Value)).To(HavePrefix(`{"apiVersion":"v1","data":{"k":"w"}`))
	put("/registry/configmaps/default/b", inProtobuf(g, "v1", "ConfigMap", &corev1.ConfigMap{ObjectMeta: meta("b")}))
	g.Expect(sendTo(g, s, "GET", maps, "").at("items")).To(HaveLen(2))
	a = sendTo(g, s, "POST", maps, `{"metadata":{"name":"b"}}`)
	g.Expect(a.code).To(Equal(409), a.body)
	g.Expect(sendTo(g, s, "DELETE", maps+"/b", "").code).To(Equal(200))
	g.Expect(sendTo(g, s, "GET", maps, "").at("items")).To(HaveLen(1))
}
