# Keelson's few commands. `make help` lists them.

GO ?= go
KUBE = $(patsubst v0.%,v1.%,$(shell $(GO) list -m -f '{{.Version}}' k8s.io/kubectl))
VERSION = k8s.io/component-base/version
LDFLAGS = -s -w -X $(VERSION).gitVersion=$(KUBE) -X $(VERSION).gitMajor=1 -X $(VERSION).gitMinor=$(word 2,$(subst ., ,$(KUBE)))
LINT = bin/golangci-lint
FUZZTIME ?= 20s

.PHONY: up build test race lint verify bench fuzz compat generate help

up: build ## build and run the server on https://127.0.0.1:6443
	bin/keelson up

build: ## build bin/keelson
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o bin/keelson ./cmd/keelson

test: ## run all tests
	$(GO) test -timeout 9m ./...

race: ## run all tests with the race detector
	$(GO) test -race -timeout 25m ./...

lint: $(LINT) ## run go vet and golangci-lint
	$(GO) vet ./...
	$(LINT) run ./...

$(LINT): tools/go.mod
	cd tools && $(GO) build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

verify: ## check format, go.mod, generated files and import laws
	@files=$$(git ls-files -- '*.go' | xargs gofmt -l) && { test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }; }
	@for mod in $$(git ls-files -- go.mod '*/go.mod'); do (cd $$(dirname $$mod) && $(GO) mod tidy -diff) || exit 1; done
	@state() { git status --porcelain; git diff | sha256sum; }; before=$$(state) && $(GO) generate ./... && \
		{ test "$$before" = "$$(state)" || { echo "go generate changes files:"; git status --short; exit 1; }; }
	$(GO) test -count=1 ./internal/law

bench: build ## compare with kube-apiserver and client-go (see bench/)
	cd bench && $(MAKE)

fuzz: ## run each fuzz target for FUZZTIME
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | sed 's/func //'); do \
			(cd $$p && $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) .) || exit 1; done; done

compat: build ## run real clients against bin/keelson
	cd compat && KEELSON=$(CURDIR)/bin/keelson $(GO) test -count=1 -timeout 20m ./...

generate: ## make generated files again
	$(GO) generate ./...

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12
