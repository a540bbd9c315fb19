package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// readResources reads every document of a YAML file; a key twice is an error.
func readResources(path string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var resources []*unstructured.Unstructured
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return resources, nil
		}
		if err != nil {
			return resources, err
		}
		encoded, err := sigsyaml.YAMLToJSONStrict(document)
		if err != nil {
			return resources, err
		}
		if string(encoded) == "null" {
			continue
		}
		resource := &unstructured.Unstructured{}
		if err := resource.UnmarshalJSON(encoded); err != nil {
			return resources, err
		}
		resources = append(resources, resource)
	}
}
