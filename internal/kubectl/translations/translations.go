// Package translations keeps kubectl's translations out of the way of a process that is no kubectl. k8s.io/kubectl
// translates texts while its packages are initialized: 15 ms and 4 MB of every start of every command of the
// binary, a tenth of the time in which a server is to be ready.
//
// The hook is kubectl's own, and has to be set in an init function, before the packages that translate are
// initialized. Go initializes packages in the order of their import paths as far as their imports allow, so this one
// (github.com/...) comes before those (k8s.io/...); a test sees to it.
package translations

import (
	"os"
	"strings"

	"k8s.io/kubectl/pkg/util/i18n"
)

func init() {
	// The error says that translations have been loaded already: too late, and nothing is lost but time.
	_ = i18n.SetLoadTranslationsFunc(load)
}

// load loads what the user's language needs; the texts in the code are English.
func load() error {
	if len(os.Args) < 2 || os.Args[1] != "kubectl" || english() {
		return nil
	}
	return i18n.LoadTranslations("kubectl", nil)
}

// english says that the user's locale, looked up as gettext does, is none or English.
func english() bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v == "C" || v == "POSIX" || strings.HasPrefix(v, "C.") || strings.HasPrefix(v, "en")
		}
	}
	return true
}
