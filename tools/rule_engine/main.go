// rule-engine runs Prometheus' rule groups, query engine and storage on simulated time.
//
// Each group is evaluated at the moments of a real server: its interval, at the offset that the
// server computes from the names of file and group. A day takes seconds.
//
//	rule-engine FOLDER     reads scenario.json in the folder, prints the result as JSON
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// version is set by tools/build.py: the version of Prometheus.
var version string

// Result is the output.
type Result struct {
	Firings     []*Firing        `json:"firings"`
	Answers     []Answer         `json:"answers"`
	SamplesRead map[string]int64 `json:"samples_read"` // by the rules of each set while watched
	Errors      map[string]int   `json:"errors"`       // of rules, by number of evaluations
	Rejected    int              `json:"rejected"`     // samples that were too old
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: rule-engine FOLDER | --version")
		os.Exit(2)
	}
	if os.Args[1] == "--version" {
		fmt.Println(version)
		return
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "rule-engine:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	// Paths of rule files decide the offsets of groups, so they are relative to the folder.
	if err := os.Chdir(folder); err != nil {
		return err
	}
	scenario, err := readScenario("scenario.json")
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "rule-engine")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	database, err := openDatabase(
		filepath.Join(data, "data"), time.Duration(scenario.OutOfOrder)*time.Second,
	)
	if err != nil {
		return err
	}
	defer database.Close()
	simulation, err := newSimulation(scenario, ".", database)
	if err != nil {
		return err
	}
	if err := simulation.run(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(Result{
		Firings: simulation.alerts.sorted(), Answers: simulation.answers,
		SamplesRead: simulation.queries.read, Errors: simulation.errors,
		Rejected: simulation.feed.rejected,
	})
}
