package client

import apierrors "k8s.io/apimachinery/pkg/api/errors"

// IgnoreNotFound is err, unless it says that an object does not exist.
func IgnoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// IgnoreAlreadyExists is err, unless it says that an object exists already.
func IgnoreAlreadyExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
