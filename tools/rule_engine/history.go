package main

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// historyOf returns the recording rules whose past values a rule reads, by a range or an offset,
// and the recording rules that they read. The others need not run while nobody watches.
func historyOf(all []rules.Rule) map[rules.Rule]bool {
	records := map[string][]rules.Rule{}
	for _, rule := range all {
		if _, ok := rule.(*rules.RecordingRule); ok {
			records[rule.Name()] = append(records[rule.Name()], rule)
		}
	}
	history := map[rules.Rule]bool{}
	var need func(names map[string]bool)
	need = func(names map[string]bool) {
		for name := range names {
			for _, rule := range records[name] {
				if !history[rule] {
					history[rule] = true
					need(namesIn(rule.Query(), false))
				}
			}
		}
	}
	for _, rule := range all {
		need(namesIn(rule.Query(), true))
	}
	return history
}

// namesIn returns the metrics that an expression reads, or only those of which it reads the past.
func namesIn(expr parser.Expr, past bool) map[string]bool {
	names := map[string]bool{}
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if ok && (!past || selector.OriginalOffset != 0 || isRange(path)) {
			names[metric(selector)] = true
		}
		return nil
	})
	return names
}

func isRange(path []parser.Node) bool {
	for _, node := range path {
		switch node.(type) {
		case *parser.MatrixSelector, *parser.SubqueryExpr:
			return true
		}
	}
	return false
}

func metric(selector *parser.VectorSelector) string {
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == labels.MetricName {
			return matcher.Value
		}
	}
	return selector.Name
}
