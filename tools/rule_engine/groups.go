package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/url"
	"os"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
)

// schedule has a rule group of a set, and the time of its next evaluation; nanoseconds.
type schedule struct {
	set     *RuleSet
	group   *rules.Group
	history *rules.Group // its rules with a history that other rules read; nil if there are none
	next    int64
	isFirst bool
}

// loader makes rule groups from files.
type loader struct {
	options  *rules.ManagerOptions
	interval time.Duration
}

func newLoader(queries *evaluator, database *tsdb.DB, interval int64) *loader {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	return &loader{
		interval: time.Duration(interval) * time.Second,
		options: &rules.ManagerOptions{
			QueryFunc: func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
				return queries.vector(ctx, expr, at)
			},
			AppendableV2:    database,
			Queryable:       database,
			Context:         context.Background(),
			Logger:          log,
			Parser:          parser.NewParser(parser.Options{}),
			ExternalURL:     &url.URL{Scheme: "http", Host: "prometheus:9090"},
			NotifyFunc:      func(context.Context, string, ...*rules.Alert) {},
			OutageTolerance: time.Hour,
			ForGracePeriod:  10 * time.Minute,
			ResendDelay:     time.Minute,
		},
	}
}

// load returns the groups of a set, each with its first evaluation after a time in seconds.
func (l *loader) load(set *RuleSet, at int64) ([]*schedule, error) {
	manager := rules.NewManager(l.options)
	groups, errs := manager.LoadGroups(l.interval, labels.EmptyLabels(), "", nil, false, set.Files...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var all []rules.Rule
	for _, group := range groups {
		all = append(all, group.Rules()...)
	}
	history := historyOf(all)
	var loaded []*schedule
	for _, group := range groups {
		loaded = append(loaded, l.schedule(set, group, history, at))
	}
	sort.Slice(loaded, func(a, b int) bool { return key(loaded[a]) < key(loaded[b]) })
	return loaded, nil
}

func (l *loader) schedule(
	set *RuleSet, group *rules.Group, history map[rules.Rule]bool, at int64,
) *schedule {
	var kept []rules.Rule
	for _, rule := range group.Rules() {
		if history[rule] {
			kept = append(kept, rule)
		}
	}
	before := group.EvalTimestamp(at * int64(time.Second)).UnixNano()
	one := &schedule{set: set, group: group, isFirst: true, next: before + int64(group.Interval())}
	if len(kept) > 0 {
		one.history = rules.NewGroup(rules.GroupOptions{
			Name: group.Name(), File: group.File(), Interval: group.Interval(),
			Rules: kept, Opts: l.options,
		})
	}
	return one
}

func key(s *schedule) string {
	return s.group.File() + " " + s.group.Name()
}

// advance moves on to the next evaluation, if the rule set is still loaded then.
func (s *schedule) advance() {
	s.next += int64(s.group.Interval())
	if s.set.To != 0 && s.next >= s.set.To*int64(time.Second) {
		s.next = math.MaxInt64
	}
}

// evaluate evaluates all rules. After a start of the server, pending alerts go on.
func (s *schedule) evaluate(at time.Time) {
	s.group.Eval(context.Background(), at)
	if s.isFirst {
		s.group.RestoreForState(at)
		s.isFirst = false
	}
}
