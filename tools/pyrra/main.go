// pyrra-rules prints the rules of Pyrra for an objective: Pyrra's own library makes the rules.
//
// Pyrra's program needs the built files of its web interface, which its module does not have.
//
//	pyrra-rules < objective.yaml > rules.yaml
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/pyrra-dev/pyrra/kubernetes/api/v1alpha1"
	"github.com/pyrra-dev/pyrra/slo"
	"sigs.k8s.io/yaml"
)

// version is set by tools/build.py.
var version string

func main() {
	if len(os.Args) > 1 {
		fmt.Println(version)
		return
	}
	if err := printRules(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pyrra-rules:", err)
		os.Exit(1)
	}
}

func printRules(in io.Reader, out io.Writer) error {
	objective, err := readObjective(in)
	if err != nil {
		return err
	}
	groups, err := ruleGroups(objective)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(monitoringv1.PrometheusRuleSpec{Groups: groups})
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

func readObjective(in io.Reader) (slo.Objective, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return slo.Objective{}, err
	}
	var declared v1alpha1.ServiceLevelObjective
	if err := yaml.UnmarshalStrict(text, &declared); err != nil {
		return slo.Objective{}, err
	}
	if _, err := declared.ValidateCreate(context.Background(), &declared); err != nil {
		return slo.Objective{}, err
	}
	return declared.Internal()
}

// ruleGroups returns the groups of `pyrra generate --generic-rules`.
func ruleGroups(objective slo.Objective) ([]monitoringv1.RuleGroup, error) {
	var groups []monitoringv1.RuleGroup
	for _, rules := range []func(slo.GenerationOptions) (monitoringv1.RuleGroup, error){
		objective.IncreaseRules, objective.Burnrates, objective.GenericRules,
	} {
		group, err := rules(slo.GenerationOptions{})
		if err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	return groups, nil
}
