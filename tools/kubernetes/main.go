// Command manifest-check reads Kubernetes manifests as an API server reads them: custom resources
// by the code and the CustomResourceDefinitions of a cluster, with unknown fields refused, and pods
// by the restricted profile of Pod Security admission.
package main

import (
	"flag"
	"fmt"
	"os"
)

// version is the version of the Kubernetes modules; tools/build.py sets it.
var version = "unknown"

func main() {
	printVersion := flag.Bool("version", false, "print the version of the Kubernetes modules")
	flag.Parse()
	if *printVersion {
		fmt.Println(version)
		return
	}
	os.Exit(check(flag.Args()))
}

// check prints the findings of all files, one a line, and returns the exit code.
func check(paths []string) int {
	definitions, err := loadDefinitions()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	code := 0
	for _, path := range paths {
		resources, err := readResources(path)
		if err != nil {
			fmt.Printf("%s: %v\n", path, err)
			code = 1
		}
		for _, resource := range resources {
			for _, finding := range append(definitions.findings(resource), podFindings(resource)...) {
				fmt.Printf("%s: %s %s: %s\n", path, resource.GetKind(), resource.GetName(), finding)
				code = 1
			}
		}
	}
	return code
}
