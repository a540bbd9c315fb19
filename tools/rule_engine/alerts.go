package main

import (
	"sort"

	"github.com/prometheus/prometheus/rules"
)

// Firing is an alert from its first to its last firing evaluation; Unix seconds.
type Firing struct {
	RuleSet     string            `json:"rule_set"`
	Alert       string            `json:"alert"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Start       int64             `json:"start"`
	End         *int64            `json:"end"` // the first evaluation without the alert; null: at the end
}

// alertLog has the firings so far.
type alertLog struct {
	all  []*Firing
	open map[rules.Rule]map[string]*Firing
}

func newAlertLog() *alertLog {
	return &alertLog{all: []*Firing{}, open: map[rules.Rule]map[string]*Firing{}}
}

// update compares the alerts of a group with those of the evaluation before.
func (l *alertLog) update(set string, group *rules.Group, second int64) {
	for _, rule := range group.AlertingRules() {
		before, now := l.open[rule], map[string]*Firing{}
		for _, alert := range rule.ActiveAlerts() {
			if alert.State != rules.StateFiring {
				continue
			}
			id := alert.Labels.String()
			if now[id] = before[id]; now[id] == nil {
				now[id] = &Firing{
					RuleSet: set, Alert: rule.Name(), Start: second,
					Labels: alert.Labels.Map(), Annotations: alert.Annotations.Map(),
				}
				l.all = append(l.all, now[id])
			}
		}
		l.closeMissing(before, now, second)
		l.open[rule] = now
	}
}

func (l *alertLog) closeMissing(before, now map[string]*Firing, second int64) {
	for id, firing := range before {
		if now[id] == nil {
			firing.End = &second
		}
	}
}

// closeAll ends all alerts: the server has stopped.
func (l *alertLog) closeAll(second int64) {
	for _, firings := range l.open {
		l.closeMissing(firings, nil, second)
	}
	clear(l.open)
}

func (l *alertLog) sorted() []*Firing {
	sort.SliceStable(l.all, func(a, b int) bool { return l.all[a].Start < l.all[b].Start })
	return l.all
}
