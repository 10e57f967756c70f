// CoreDNS with the few plugins that a local cluster asks for. The whole of CoreDNS brings three cloud SDKs and builds for minutes.
package main

import (
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"

	_ "github.com/coredns/coredns/plugin/bind"

	"github.com/coredns/coredns/coremain"
)

func main() { coremain.Run() }
