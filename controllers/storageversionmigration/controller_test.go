package storageversionmigration_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/controllers/storageversionmigration"
	"github.com/keelson-project/keelson/internal/webhooktest"
	"github.com/keelson-project/keelson/runtime/client"
)

const (
	succeeded = storagemigrationv1.MigrationSucceeded
	failed    = storagemigrationv1.MigrationFailed
)

// The whole path: what was written before the storage version changed is stored in it afterwards, unchanged but for that.
func TestObjectsComeIntoTheStorageVersion(t *testing.T) {
	w := newWorld(t)
	w.restart(&storageversionmigration.Options{})
	w.fill(0, 3)
	before := website("v1", "site-0001")
	w.ok(w.c.Get(t.Context(), client.KeyOf(before), before))
	w.storeV2()
	w.create(website("v1", "young"))
	w.wantStored(map[string]int{"v1": 3, "v2": 1})
	w.wantCRD("", "v1", "v2")

	w.migrate("a", websites)
	m := w.waitEnd("a", succeeded)
	w.wantStored(map[string]int{"v2": 4})
	w.wantConditions(m, "Running=False MigrationCompleted: Migration completed", "Succeeded=True StorageVersionMigrationSucceeded: Migration completed")
	w.wantCRD("False MigrationSucceeded: The migration has succeeded and the stored versions have been updated", "v2")
	after := website("v1", "site-0001")
	w.ok(w.c.Get(t.Context(), client.KeyOf(after), after))
	if after.GetResourceVersion() == before.GetResourceVersion() {
		t.Error("the object was not written")
	}
	after.SetResourceVersion(before.GetResourceVersion())
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the object has changed:\n%v\n%v", before, after)
	}
	// A second migration finds nothing to do, and writes nothing.
	current := website("v2", "site-0001")
	w.ok(w.c.Get(t.Context(), client.KeyOf(current), current))
	w.migrate("b", websites)
	w.waitEnd("b", succeeded)
	again := website("v2", "site-0001")
	w.ok(w.c.Get(t.Context(), client.KeyOf(again), again))
	if again.GetResourceVersion() != current.GetResourceVersion() {
		t.Error("an object in the storage version was written again")
	}
	w.wantCRD("False MigrationSucceeded: The migration has succeeded and the stored versions have been updated", "v2")
	// The old version may go now.
	w.change(`[{"op":"remove","path":"/spec/versions/0"}]`)
}

// A built-in kind has no definition to write to.
func TestBuiltInKind(t *testing.T) {
	w := newWorld(t)
	w.restart(&storageversionmigration.Options{})
	w.migrate("namespaces", metav1.GroupResource{Resource: "namespaces"})
	m := w.wait("namespaces", func(m *Migration) bool { return meta.IsStatusConditionTrue(m.Status.Conditions, "Succeeded") })
	w.wantConditions(m, "Running=True MigrationRunning: The migration is running, 4 objects verified migrated", "Succeeded=True StorageVersionMigrationSucceeded: Migration completed")
}

// A restart in the middle: the second controller begins where the first was cut off, and touches nothing twice.
func TestResumesAfterRestart(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 60)
	w.storeV2()
	var written atomic.Int64
	middle := make(chan struct{})
	w.restart(&storageversionmigration.Options{Page: 10}, func(r *http.Request) error {
		if strings.Contains(r.URL.Path, "/websites/") && r.Method == http.MethodPatch {
			switch n := written.Add(1); {
			case n == 30:
				close(middle)
			case n > 30: // until the server stops
				<-r.Context().Done()
				return r.Context().Err()
			}
		}
		return nil
	})
	w.migrate("a", websites)
	<-middle
	w.srv.Stop()
	half := w.stored()
	if half["v2"] == 0 || half["v1"] < 30 {
		t.Fatalf("in the middle, stored are %v", half)
	}
	written.Store(0)
	w.start(&storageversionmigration.Options{Page: 10}, func(r *http.Request) error {
		if strings.Contains(r.URL.Path, "/websites/") && r.Method == http.MethodPatch {
			written.Add(1)
		}
		return nil
	})
	began := w.wait("a", func(m *Migration) bool { return m.Status.ResourceVersion != "" }).Status.ResourceVersion
	m := w.waitEnd("a", succeeded)
	w.wantStored(map[string]int{"v2": 60})
	if int(written.Load()) != half["v1"] || m.Status.ResourceVersion != began {
		t.Errorf("%d were written after the restart, of %v; since %s and %s", written.Load(), half, began, m.Status.ResourceVersion)
	}
}

// Objects that are changed, deleted or made anew while the migration runs are left to those who do.
func TestChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 20)
	w.storeV2()
	w.restart(&storageversionmigration.Options{}, func(r *http.Request) error {
		name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if r.Method != http.MethodPatch || !strings.HasPrefix(name, "site-") {
			return nil
		}
		switch name[len(name)-1] {
		case '1':
			return w.c.Delete(r.Context(), website("v1", name))
		case '2':
			err := w.c.Delete(r.Context(), website("v1", name))
			return errors.Join(err, w.c.Create(r.Context(), website("v2", name)))
		case '3':
			return w.c.Patch(r.Context(), website("v1", name), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"host":"new"}}`)))
		}
		return nil
	})
	w.migrate("a", websites)
	w.waitEnd("a", succeeded)
	w.wantStored(map[string]int{"v2": 18})
	changed := website("v2", "site-0013")
	w.ok(w.c.Get(t.Context(), client.KeyOf(changed), changed))
	if changed.Object["spec"].(map[string]any)["host"] != "new" {
		t.Errorf("a change was lost: %v", changed)
	}
}

// What cannot be converted ends the migration, with the name of an object; what is stored stays, and so do the stored
// versions. When the webhook is back, another migration does it.
func TestDeadConversionWebhook(t *testing.T) {
	hook := webhooktest.Start(t, func(obj webhooktest.Object, apiVersion string) { obj["apiVersion"] = apiVersion }, nil)
	conversion := func(url string) string {
		return fmt.Sprintf(`{"op":"replace","path":"/spec/conversion","value":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"%s","caBundle":"%s"}}}}`,
			url, base64.StdEncoding.EncodeToString(hook.CA))
	}
	w := newWorld(t)
	w.restart(&storageversionmigration.Options{Patience: 300 * time.Millisecond})
	w.fill(0, 2)
	w.storeV2()
	w.change("[" + conversion("https://127.0.0.1:1/x") + "]")
	w.migrate("a", websites)
	m := w.waitEnd("a", failed)
	message := meta.FindStatusCondition(m.Status.Conditions, "Failed").Message
	if !strings.HasPrefix(message, "2/2 not yet migrated. migration encountered unhandled error: default/site-000") || !strings.Contains(message, "conversion webhook for example.com/v1, Kind=Website failed") {
		t.Errorf("message: %s", message)
	}
	w.wantStored(map[string]int{"v1": 2})
	w.wantCRD("False MigrationFailed: The migration has failed", "v1", "v2")
	w.ok(w.c.Get(t.Context(), client.ObjectKey{Name: "websites.example.com"}, w.crd()))

	w.change("[" + conversion(hook.URL) + "]")
	w.migrate("b", websites)
	w.waitEnd("b", succeeded)
	w.wantStored(map[string]int{"v2": 2})
	w.wantCRD("False MigrationSucceeded: The migration has succeeded and the stored versions have been updated", "v2")
}

// Trouble that passes is waited for.
func TestTransientErrors(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 5)
	w.storeV2()
	var troubles atomic.Int64
	w.restart(&storageversionmigration.Options{}, func(r *http.Request) error {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/websites/") && troubles.Add(1) <= 3 {
			return errors.New("the line is dead")
		}
		return nil
	})
	w.migrate("a", websites)
	w.waitEnd("a", succeeded)
	w.wantStored(map[string]int{"v2": 5})
}

// A definition that changes while a migration runs may have another storage version by the end.
func TestDefinitionChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 1)
	w.storeV2()
	w.restart(&storageversionmigration.Options{}, func(r *http.Request) error {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/site-0000") {
			w.change(`[{"op":"add","path":"/spec/names/shortNames","value":["web"]}]`)
		}
		return nil
	})
	w.migrate("a", websites)
	w.waitEnd("a", succeeded)
	w.wantStored(map[string]int{"v2": 1})
	w.wantCRD("False MigrationSucceeded: The migration has succeeded but the stored versions have not been updated due to a generation mismatch", "v1", "v2")
}

// Of several migrations of a resource one runs at a time, in the order in which they were made.
func TestOneAtATime(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 2)
	w.storeV2()
	for _, name := range []string{"b", "a", "c"} {
		w.migrate(name, websites)
	}
	var order []string
	last := ""
	w.restart(&storageversionmigration.Options{}, func(r *http.Request) error {
		if name, ok := strings.CutPrefix(r.URL.Path, "/apis/storagemigration.k8s.io/v1/storageversionmigrations/"); ok {
			if name = strings.TrimSuffix(name, "/status"); name != last {
				order, last = append(order, name), name
			}
		}
		return nil
	})
	for _, name := range []string{"a", "b", "c"} {
		w.waitEnd(name, succeeded)
	}
	if len(order) != 3 {
		t.Errorf("they were worked on in turns: %v", order)
	}
}

// Resources that are not there, or cannot be written, are refused.
func TestNothingToMigrate(t *testing.T) {
	w := newWorld(t)
	w.restart(&storageversionmigration.Options{Patience: 300 * time.Millisecond})
	w.migrate("a", metav1.GroupResource{Group: "none.example.com", Resource: "nothings"})
	w.wantConditions(w.waitEnd("a", failed), "Running=False MigrationCompleted: Migration completed",
		"Failed=True StorageVersionMigrationFailed: resource does not exist in discovery")
	// One that comes late is waited for.
	w.restart(&storageversionmigration.Options{})
	late := strings.NewReplacer("websites", "lates", "Website", "Late").Replace(websiteCRD)
	w.migrate("b", metav1.GroupResource{Group: "example.com", Resource: "lates"})
	w.wait("b", func(m *Migration) bool { return meta.IsStatusConditionTrue(m.Status.Conditions, "Running") })
	w.create(unstructuredOf(t, late))
	w.waitEnd("b", succeeded)
}

// Deleted migrations stop.
func TestDeletedMigration(t *testing.T) {
	w := newWorld(t)
	w.fill(0, 30)
	w.storeV2()
	var once sync.Once
	gone := make(chan struct{})
	w.restart(&storageversionmigration.Options{Page: 10}, func(r *http.Request) error {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/websites/") {
			once.Do(func() {
				defer close(gone)
				w.ok(w.c.Delete(r.Context(), &Migration{ObjectMeta: metav1.ObjectMeta{Name: "a"}}))
			})
		}
		return nil
	})
	w.migrate("a", websites)
	<-gone
	w.migrate("b", websites)
	w.waitEnd("b", succeeded)
	w.wantStored(map[string]int{"v2": 30})
	w.wantCRD("False MigrationSucceeded: The migration has succeeded and the stored versions have been updated", "v2")
}

// Two thousand objects take a second or two.
func TestManyObjects(t *testing.T) {
	w := newWorld(t)
	const n = 2000
	w.fill(0, n)
	w.storeV2()
	w.restart(&storageversionmigration.Options{})
	start := time.Now()
	w.migrate("a", websites)
	w.waitEnd("a", succeeded)
	t.Logf("%d objects in %v", n, time.Since(start))
	w.wantStored(map[string]int{"v2": n})
}
