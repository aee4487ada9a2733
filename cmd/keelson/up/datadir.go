package up

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFile marks a directory as Keelson's, and is locked by the process that serves from it.
const lockFile = "keelson.lock"

// dataDir is a data directory that this process has for itself.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory, or takes one that Keelson made before. It touches no other directory that has
// something in it: keys and databases are not to be mixed into somebody's files by a mistyped path.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, unusable(path, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, unusable(path, err)
	}
	if _, err := os.Stat(filepath.Join(path, lockFile)); errors.Is(err, fs.ErrNotExist) && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not a data directory of Keelson, and it is not empty (there is %s); choose another with --data-dir", path, entries[0].Name())
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(path, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("the data directory %s is in use by another Keelson; stop that or choose another with --data-dir", path)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// unusable says in one line what is wrong with a directory.
func unusable(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		if pe.Path != path {
			return fmt.Errorf("the data directory %s cannot be used: %s: %w", path, pe.Path, pe.Err)
		}
		err = pe.Err
	}
	return fmt.Errorf("the data directory %s cannot be used: %w", path, err)
}

func (d *dataDir) file(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// close lets another process have the directory.
func (d *dataDir) close() { _ = d.lock.Close() }
