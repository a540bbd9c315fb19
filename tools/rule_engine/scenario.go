package main

import (
	"encoding/json"
	"os"
)

// Scenario is the input: raw series, rules, and when the server does not evaluate.
// All times are Unix seconds.
type Scenario struct {
	Start    int64     `json:"start"`
	End      int64     `json:"end"`
	Interval int64     `json:"interval"` // seconds between evaluations of a group without an interval
	Samples  string    `json:"samples"`  // file of pairs (int64 milliseconds, float64), series after series
	Series   []Series  `json:"series"`
	RuleSets []RuleSet `json:"rule_sets"`
	Queries  []Query   `json:"queries"`
	Down     []Span    `json:"down"`    // the server is down: no evaluation, alerts lose their state
	Stalled  []Span    `json:"stalled"` // evaluations are missed, alerts keep their state
	Watched  []Span    `json:"watched"` // outside of these spans, only history is recorded
	// Seconds that a sample may be older than the newest one of its series.
	OutOfOrder int64 `json:"out_of_order_seconds"`
}

// Series has the labels of a raw series and the number of its samples.
type Series struct {
	Labels  map[string]string `json:"labels"`
	Samples int               `json:"samples"`
	Delay   int64             `json:"delay_ms"` // from the timestamp of a sample to its arrival
}

// RuleSet is a list of rule files that one tool generates.
type RuleSet struct {
	Name  string   `json:"name"`
	Files []string `json:"files"`
	From  int64    `json:"from"` // loaded then; 0: at the start
	To    int64    `json:"to"`   // removed then; 0: never
}

// Query is asked at some times.
type Query struct {
	Name  string  `json:"name"`
	Expr  string  `json:"expr"`
	Times []int64 `json:"times"`
}

// Span is a half-open range of Unix seconds.
type Span [2]int64

func inside(spans []Span, second int64) bool {
	for _, span := range spans {
		if span[0] <= second && second < span[1] {
			return true
		}
	}
	return false
}

func readScenario(path string) (*Scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	scenario := &Scenario{}
	return scenario, json.Unmarshal(text, scenario)
}

func (s *Scenario) isWatched(second int64) bool {
	return len(s.Watched) == 0 || inside(s.Watched, second)
}

func (r *RuleSet) loadedAt(start int64) int64 {
	if r.From == 0 {
		return start
	}
	return r.From
}
