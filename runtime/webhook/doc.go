// Package webhook answers what API servers ask of webhooks: admission and conversion.
//
//	server := webhook.NewServer(webhook.Options{Scheme: mgr.Scheme(), Certificates: certificates, Logger: mgr.Logger()})
//	err := webhook.NewWebhookManagedBy(server, &v1.Website{}).WithValidator(validator).WithDefaulter(defaulter).Complete()
//	err = mgr.Add(server.Run, false)
//
// Paths are those that controller-runtime uses: ValidatePath, MutatePath and ConvertPath. Package runtime/webhook/certs
// makes, rotates and injects certificates, or reads them from files.
//
// # Admission
//
// A Handler is given an admission Request and says what becomes of it. Validating makes one of a Validator of a type,
// Defaulting one of a Defaulter: the patch holds what the defaulter changed and nothing else, so that fields which the
// type does not know stay as they are.
//
// # Conversion
//
// A Converter takes objects of one kind from version to version. Hubs makes one of types of which one is the Hub and the
// others are Convertible; a ConverterFunc works on unstructured objects.
//
// # What is answered
//
// Answers about an object are reviews, with status 200 and the request's uid: refusals have their Status in them. What
// is no review at all is answered with a Status and its own code, which API servers quote. A panic is a refusal with
// code 500.
package webhook
