package workqueue_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/workqueue"
)

// Causes of a run travel with the key; Merge bounds what is kept of them.
func ExampleConfig_merge() {
	q := workqueue.New(workqueue.Config[string]{
		Merge: func(waiting, added any) any {
			all := append(waiting.([]string), added.([]string)...)
			return all[max(0, len(all)-3):]
		},
	})
	q.Add("default/web", workqueue.Options{Note: []string{"Website default/web created"}})
	q.Add("default/web", workqueue.Options{Priority: 5, Note: []string{"ConfigMap default/web-page deleted"}})
	item, _ := q.Get(context.Background())
	q.Add("default/web", workqueue.Options{Note: []string{"Website default/web changed"}}) // while it runs
	fmt.Println(item.Key, item.Priority, item.Adds, item.Note)
	q.Done(item)

	item, _ = q.Get(context.Background())
	fmt.Println(item.Key, item.Priority, item.Adds, item.Note)
	q.Done(item)
	// Output:
	// default/web 5 2 [Website default/web created ConfigMap default/web-page deleted]
	// default/web 0 1 [Website default/web changed]
}
