package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podFindings returns what the restricted profile forbids in the pods of a workload.
func podFindings(resource *unstructured.Unstructured) []string {
	template, found, _ := unstructured.NestedMap(resource.Object, "spec", "template")
	if !found {
		return nil
	}
	pod, err := decodeTemplate(template)
	if err != nil {
		return []string{err.Error()}
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var texts []string
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			texts = append(texts, fmt.Sprintf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return texts
}

// decodeTemplate refuses unknown fields.
func decodeTemplate(template map[string]any) (*corev1.PodTemplateSpec, error) {
	encoded, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	pod := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{}}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	return pod, decoder.Decode(pod)
}
