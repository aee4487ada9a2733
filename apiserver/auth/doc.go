// Package auth says who makes a request and whether they may: authenticators find the User (client certificates,
// bearer tokens), an Authorizer decides about Attributes. Both are interfaces of one method, so that other ways to
// prove an identity and other policies (RBAC) join without a change here.
//
// Users are shared between requests and must not be changed.
package auth
