package main

import (
	"math"
	"time"

	"github.com/prometheus/prometheus/tsdb"
)

// simulation evaluates rule groups in the order of their times, without waiting.
type simulation struct {
	scenario  *Scenario
	feed      *feed
	queries   *evaluator
	loader    *loader
	schedules []*schedule
	waiting   []*RuleSet // not loaded yet
	questions []question
	alerts    *alertLog
	isDown    bool
	answers   []Answer
	errors    map[string]int
}

func newSimulation(scenario *Scenario, folder string, database *tsdb.DB) (*simulation, error) {
	feed, err := newFeed(scenario, folder, database)
	queries := newEvaluator(database, scenario.Interval)
	s := &simulation{
		scenario: scenario, feed: feed, queries: queries, alerts: newAlertLog(),
		loader:    newLoader(queries, database, scenario.Interval),
		questions: questions(scenario.Queries), answers: []Answer{}, errors: map[string]int{},
	}
	for n := range scenario.RuleSets {
		s.waiting = append(s.waiting, &scenario.RuleSets[n])
	}
	return s, err
}

// run takes one step after the other: a rule set is loaded, or a group is evaluated.
func (s *simulation) run() error {
	for {
		current := s.earliest()
		now := int64(math.MaxInt64)
		if current != nil {
			now = current.next
		}
		if set := s.due(now / int64(time.Second)); set != nil {
			if err := s.loadSet(set, set.loadedAt(s.scenario.Start)); err != nil {
				return err
			}
			continue
		}
		if current == nil || now/int64(time.Second) >= s.scenario.End {
			return s.answerUntil(math.MaxInt64)
		}
		if err := s.step(current, now); err != nil {
			return err
		}
	}
}

func (s *simulation) earliest() *schedule {
	var first *schedule
	for _, one := range s.schedules {
		if one.next != math.MaxInt64 && (first == nil || one.next < first.next) {
			first = one
		}
	}
	return first
}

// due returns a rule set that is to be loaded before a time; seconds.
func (s *simulation) due(now int64) *RuleSet {
	for n, set := range s.waiting {
		if at := set.loadedAt(s.scenario.Start); at <= now && at < s.scenario.End {
			s.waiting = append(s.waiting[:n:n], s.waiting[n+1:]...)
			return set
		}
	}
	return nil
}

func (s *simulation) loadSet(set *RuleSet, at int64) error {
	loaded, err := s.loader.load(set, at)
	s.schedules = append(s.schedules, loaded...)
	return err
}

func (s *simulation) step(current *schedule, now int64) error {
	second := now / int64(time.Second)
	if err := s.answerUntil(now); err != nil {
		return err
	}
	if inside(s.scenario.Down, second) {
		s.stop(second)
		current.advance()
		return nil
	}
	if s.isDown {
		return s.restart(second)
	}
	current.advance()
	if inside(s.scenario.Stalled, second) {
		return nil
	}
	if err := s.feed.appendUntil(now); err != nil {
		return err
	}
	s.evaluate(current, time.Unix(0, now).UTC())
	return nil
}

func (s *simulation) stop(second int64) {
	if !s.isDown {
		s.isDown = true
		s.alerts.closeAll(second)
	}
}

// restart loads all groups again: the alerts have lost their state.
func (s *simulation) restart(second int64) error {
	s.isDown = false
	loaded := map[*RuleSet]bool{}
	before := s.schedules
	s.schedules = nil
	for _, one := range before {
		if one.next == math.MaxInt64 || loaded[one.set] {
			continue
		}
		loaded[one.set] = true
		if err := s.loadSet(one.set, second); err != nil {
			return err
		}
	}
	return nil
}

func (s *simulation) evaluate(current *schedule, at time.Time) {
	if !s.scenario.isWatched(at.Unix()) {
		if current.history != nil {
			s.queries.counted = ""
			current.history.Eval(s.loader.options.Context, at)
		}
		return
	}
	s.queries.counted = current.set.Name
	current.evaluate(at)
	s.alerts.update(current.set.Name, current.group, at.Unix())
	for _, rule := range current.group.Rules() {
		if err := rule.LastError(); err != nil {
			s.errors[current.set.Name+": "+rule.Name()+": "+err.Error()]++
		}
	}
}

// answerUntil asks the queries whose time has come; nanoseconds.
func (s *simulation) answerUntil(now int64) error {
	for len(s.questions) > 0 && s.questions[0].time < now/int64(time.Second) {
		one := s.questions[0]
		s.questions = s.questions[1:]
		if err := s.feed.appendUntil(one.time * int64(time.Second)); err != nil {
			return err
		}
		s.answers = append(s.answers, s.queries.answer(one.query, one.time))
	}
	return nil
}
