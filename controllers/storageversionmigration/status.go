package storageversionmigration

import (
	"context"
	"fmt"
	"strings"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/runtime/client"
)

// The reasons of the conditions of a migration.
const (
	reasonRunning   = "MigrationRunning"
	reasonSucceeded = "StorageVersionMigrationSucceeded"
	reasonFailed    = "StorageVersionMigrationFailed"
)

func isTrue(m *storagemigrationv1.StorageVersionMigration, kind storagemigrationv1.MigrationConditionType) bool {
	return meta.IsStatusConditionTrue(m.Status.Conditions, string(kind))
}

// isEnded says that there is nothing left to do but to tidy up.
func isEnded(m *storagemigrationv1.StorageVersionMigration) bool {
	return isTrue(m, storagemigrationv1.MigrationSucceeded) || isTrue(m, storagemigrationv1.MigrationFailed)
}

// setCondition writes the status with one condition changed, where it is not so already.
func (r *reconciler) setCondition(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, c metav1.Condition) error {
	if !meta.SetStatusCondition(&m.Status.Conditions, c) {
		return nil
	}
	return r.updateStatus(ctx, m)
}

func (r *reconciler) updateStatus(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) error {
	return r.client.Status().Update(ctx, m, client.FieldOwner(fieldManager))
}

func (r *reconciler) setRunning(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, message string) error {
	return r.setCondition(ctx, m, running(message))
}

func running(message string) metav1.Condition {
	return metav1.Condition{
		Type: string(storagemigrationv1.MigrationRunning), Status: metav1.ConditionTrue, Reason: reasonRunning, Message: message,
	}
}

// maxMessage is how long the message of a condition may be, in bytes.
const maxMessage = 32 << 10

// end writes that a migration has succeeded or failed.
func (r *reconciler) end(ctx context.Context, m *storagemigrationv1.StorageVersionMigration, how storagemigrationv1.MigrationConditionType, message string) error {
	reason := reasonSucceeded
	if how == storagemigrationv1.MigrationFailed {
		reason = reasonFailed
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "")
	}
	return r.setCondition(ctx, m, metav1.Condition{Type: string(how), Status: metav1.ConditionTrue, Reason: reason, Message: message})
}

// progress of a migration: how many objects there are, and how many of them are to be looked at yet.
type progress struct{ left, total int }

func (p progress) String() string { return fmt.Sprintf("%d/%d", p.left, p.total) }

// runningMessage tells of the progress, and of an error that made it pause.
func runningMessage(p progress, pause error) string {
	s := "The migration is running"
	switch {
	case p.left > 0:
		s += fmt.Sprintf(", %v objects not yet migrated", p)
	case p.total > 0:
		s += fmt.Sprintf(", %d objects verified migrated", p.total)
	}
	if pause != nil {
		s += "; transient error: " + pause.Error()
	}
	return s
}
