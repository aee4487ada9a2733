package apiserver_test

import (
	"encoding/json"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// testdata/columns.json is what kube-apiserver 1.37.2 answers to lists of built-in kinds as tables. (There is no
// StorageVersionMigration: the format of its first column is "", not "name".)
var _ = Describe("A table of a built-in kind", func() {
	It("has the columns that Kubernetes gives it", func() {
		raw, err := os.ReadFile("testdata/columns.json")
		Expect(err).NotTo(HaveOccurred())
		var recorded map[string][]any
		Expect(json.Unmarshal(raw, &recorded)).To(Succeed())
		Expect(recorded).To(HaveLen(12))
		for path, want := range recorded {
			a := get(path, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io").ok(200)
			Expect(a.at("columnDefinitions")).To(Equal(any(want)), path)
		}
	})
})
