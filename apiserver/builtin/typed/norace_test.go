//go:build !race

package typed_test

// mutations tried of each kind.
const mutations = 400
