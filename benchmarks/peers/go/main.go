// The costs of client_golang for benchmarks/peers: one line of JSON on standard output.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

const (
	series = 1000
	rounds = 9
	calls  = 200_000
)

var (
	identity = prometheus.Labels{"service_name": "bench", "service_namespace": "shop"}
	own      = []string{"operation", "table"}
	buckets  = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
)

type costs struct {
	Page  float64 `json:"page_ns"`
	Bytes int     `json:"page_bytes"`
	Add   float64 `json:"add_ns"`
	Map   float64 `json:"map_ns"`
}

func main() {
	registry := prometheus.NewRegistry()
	orders := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "shop_orders_total", Help: "Orders.", ConstLabels: identity,
	}, own)
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "shop_query_duration_seconds", Help: "Time of a query.",
		Buckets: buckets, ConstLabels: identity,
	}, own)
	registry.MustRegister(orders, duration)
	for n := range series {
		table, value := "t"+strconv.Itoa(n), float64(n)/97
		orders.WithLabelValues("select", table).Add(value)
		duration.WithLabelValues("select", table).Observe(value)
	}

	var page bytes.Buffer
	render := func() {
		page.Reset()
		families, err := registry.Gather()
		if err != nil {
			panic(err)
		}
		encoder := expfmt.NewEncoder(&page, expfmt.NewFormat(expfmt.TypeOpenMetrics))
		for _, family := range families {
			if err := encoder.Encode(family); err != nil {
				panic(err)
			}
		}
		fmt.Fprint(&page, "# EOF\n")
	}
	found := costs{
		Page: best(1, render),
		Add:  best(calls, func() { orders.WithLabelValues("select", "t7").Inc() }),
		Map: best(calls, func() {
			orders.With(prometheus.Labels{"operation": "select", "table": "t7"}).Inc()
		}),
	}
	found.Bytes = page.Len()
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}

// best returns the CPU nanoseconds of one call in the fastest round.
func best(calls int, call func()) float64 {
	call()
	fastest := 0.0
	for round := range rounds {
		start := cpu()
		for range calls {
			call()
		}
		spent := float64(cpu()-start) / float64(calls)
		if round == 0 || spent < fastest {
			fastest = spent
		}
	}
	return fastest
}

// cpu returns the CPU time of this process in nanoseconds, its garbage collector included.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
