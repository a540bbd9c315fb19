package main

import (
	"context"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// evaluator evaluates expressions, and counts the samples that rules read.
type evaluator struct {
	engine  *promql.Engine
	storage storage.Queryable
	// counted is the rule set of the running evaluation; empty for what is not counted.
	counted string
	read    map[string]int64
}

func newEvaluator(data storage.Queryable, interval int64) *evaluator {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:               50_000_000,
		Timeout:                  2 * time.Minute,
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return interval * 1000 },
		Parser:                   parser.NewParser(parser.Options{}),
	})
	return &evaluator{engine: engine, storage: data, read: map[string]int64{}}
}

func (e *evaluator) vector(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	query, err := e.engine.NewInstantQuery(ctx, e.storage, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	if stats := query.Stats(); e.counted != "" && stats != nil && stats.Samples != nil {
		e.read[e.counted] += stats.Samples.TotalSamples
	}
	switch value := result.Value.(type) {
	case promql.Vector:
		return append(promql.Vector(nil), value...), nil // closing the query reuses its memory
	case promql.Scalar:
		return promql.Vector{{T: value.T, F: value.V, Metric: labels.EmptyLabels()}}, nil
	}
	return nil, fmt.Errorf("%q is neither a vector nor a scalar", expr)
}

// Answer is the result of a query at a time.
type Answer struct {
	Query  string  `json:"query"`
	Time   int64   `json:"time"`
	Values []Value `json:"values"`
	Error  string  `json:"error,omitempty"`
}

// Value has no number if it is NaN or infinite; JSON has no such numbers.
type Value struct {
	Labels map[string]string `json:"labels"`
	Number *float64          `json:"number"`
}

func (e *evaluator) answer(query Query, at int64) Answer {
	answer := Answer{Query: query.Name, Time: at, Values: []Value{}}
	e.counted = ""
	found, err := e.vector(context.Background(), query.Expr, time.Unix(at, 0))
	if err != nil {
		answer.Error = err.Error()
	}
	for _, one := range found {
		value := Value{Labels: one.Metric.Map()}
		if !math.IsNaN(one.F) && !math.IsInf(one.F, 0) {
			value.Number = &one.F
		}
		answer.Values = append(answer.Values, value)
	}
	return answer
}

// question is a query at one of its times.
type question struct {
	query Query
	time  int64
}

func questions(queries []Query) []question {
	var all []question
	for _, query := range queries {
		for _, at := range query.Times {
			all = append(all, question{query, at})
		}
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a].time < all[b].time })
	return all
}
