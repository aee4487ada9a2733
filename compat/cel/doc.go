// Package cel has only tests: Keelson's validation rules side by side with kube-apiserver's, in one process, on the
// rules of the corpus, on a list of rules that uses the whole library, and on random ones. Compared are what is said
// of rules when they are compiled, their estimated costs, what is said of objects, and what that cost.
package cel
