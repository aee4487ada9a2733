//go:build race

package typed_test

// mutations tried of each kind: few, since nothing here runs at the same time as anything else.
const mutations = 20
