package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utilvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

//go:embed crds/*.json
var definitionFiles embed.FS

// definition validates the resources of one kind in one version.
type definition struct {
	schema     *structuralschema.Structural
	properties validation.SchemaValidator
	rules      *cel.Validator
}

// definitions has a definition for each group, version and kind, such as
// monitoring.coreos.com/v1, Kind=PrometheusRule.
type definitions map[string]definition

func loadDefinitions() (definitions, error) {
	loaded := definitions{}
	files, err := definitionFiles.ReadDir("crds")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := definitionFiles.ReadFile("crds/" + file.Name())
		if err != nil {
			return nil, err
		}
		if err := loaded.add(content); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
	}
	return loaded, nil
}

func (d definitions) add(content []byte) error {
	var resource v1.CustomResourceDefinition
	if err := json.Unmarshal(content, &resource); err != nil {
		return err
	}
	for _, version := range resource.Spec.Versions {
		var internal apiextensions.JSONSchemaProps
		err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
			version.Schema.OpenAPIV3Schema, &internal, nil)
		if err != nil {
			return err
		}
		schema, err := structuralschema.NewStructural(&internal)
		if err != nil {
			return err
		}
		properties, _, err := validation.NewSchemaValidator(&internal)
		if err != nil {
			return err
		}
		key := resource.Spec.Group + "/" + version.Name + ", Kind=" + resource.Spec.Names.Kind
		d[key] = definition{schema, properties, cel.NewValidator(schema, true, celconfig.PerCallLimit)}
	}
	return nil
}

// findings returns the errors of a custom resource; a resource of Kubernetes itself has none.
func (d definitions) findings(resource *unstructured.Unstructured) []string {
	kind := resource.GroupVersionKind()
	if !strings.Contains(kind.Group, ".") || strings.HasSuffix(kind.Group, ".k8s.io") {
		return nil
	}
	found, known := d[kind.Group+"/"+kind.Version+", Kind="+kind.Kind]
	if !known {
		return []string{"no definition of " + kind.String()}
	}
	return found.findings(resource)
}

func (d definition) findings(resource *unstructured.Unstructured) []string {
	object := resource.UnstructuredContent()
	namespaced := resource.GetNamespace() != "" // else it is the namespace of kubectl's context
	errors := utilvalidation.ValidateObjectMetaAccessor(
		resource, namespaced, utilvalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errors = append(errors, validation.ValidateCustomResource(nil, object, d.properties)...)
	errors = append(errors, listtype.ValidateListSetsAndMaps(nil, d.schema, object)...)
	broken, _ := d.rules.Validate(
		context.Background(), nil, d.schema, object, nil, celconfig.RuntimeCELCostBudget)
	var texts []string
	for _, err := range append(errors, broken...) {
		texts = append(texts, err.Error())
	}
	for _, path := range d.unknownFields(object) {
		texts = append(texts, "unknown field "+path)
	}
	return texts
}

// unknownFields returns the paths of the fields that the API server would drop.
func (d definition) unknownFields(object map[string]any) []string {
	copied := (&unstructured.Unstructured{Object: object}).DeepCopy().Object
	options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	return pruning.PruneWithOptions(copied, d.schema, true, options)
}
