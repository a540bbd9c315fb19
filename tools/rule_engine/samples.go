package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
)

// sample is a raw sample with the time at which the server receives it; milliseconds.
type sample struct {
	arrival int64
	time    int64
	series  int
	value   float64
}

// feed appends raw samples to the database as simulated time passes.
type feed struct {
	database *tsdb.DB
	labels   []labels.Labels
	samples  []sample
	next     int
	rejected int
}

func newFeed(scenario *Scenario, folder string, database *tsdb.DB) (*feed, error) {
	file, err := os.Open(filepath.Join(folder, scenario.Samples))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	source := bufio.NewReaderSize(file, 1<<20)
	f := &feed{database: database}
	for number, series := range scenario.Series {
		f.labels = append(f.labels, labels.FromMap(series.Labels))
		if err := f.read(source, number, series); err != nil {
			return nil, fmt.Errorf("%s: %w", scenario.Samples, err)
		}
	}
	sort.SliceStable(f.samples, func(a, b int) bool {
		return f.samples[a].arrival < f.samples[b].arrival
	})
	return f, nil
}

func (f *feed) read(source io.Reader, number int, series Series) error {
	var pair [16]byte
	for range series.Samples {
		if _, err := io.ReadFull(source, pair[:]); err != nil {
			return err
		}
		at := int64(binary.LittleEndian.Uint64(pair[:8]))
		value := math.Float64frombits(binary.LittleEndian.Uint64(pair[8:]))
		f.samples = append(f.samples, sample{at + series.Delay, at, number, value})
	}
	return nil
}

// appendUntil appends the samples that have arrived at a time; nanoseconds.
func (f *feed) appendUntil(now int64) error {
	limit := now / int64(time.Millisecond)
	if f.next == len(f.samples) || f.samples[f.next].arrival > limit {
		return nil
	}
	appender := f.database.Appender(context.Background())
	for ; f.next < len(f.samples) && f.samples[f.next].arrival <= limit; f.next++ {
		one := f.samples[f.next]
		if _, err := appender.Append(0, f.labels[one.series], one.time, one.value); err != nil {
			f.rejected++ // too old, as in a server
		}
	}
	return appender.Commit()
}

// openDatabase opens an empty database that never writes a block: all data stays in its head.
func openDatabase(folder string, outOfOrder time.Duration) (*tsdb.DB, error) {
	options := tsdb.DefaultOptions()
	options.MinBlockDuration = (200 * 24 * time.Hour).Milliseconds()
	options.MaxBlockDuration = options.MinBlockDuration
	options.RetentionDuration = 0
	options.OutOfOrderTimeWindow = outOfOrder.Milliseconds()
	options.NoLockfile = true
	options.WALSegmentSize = -1
	database, err := tsdb.Open(folder, nil, nil, options, tsdb.NewDBStats())
	if err == nil {
		database.DisableCompactions()
	}
	return database, err
}
