//! The costs of prometheus-client for benchmarks/peers: one line of JSON on standard output.

use std::borrow::Cow;
use std::time::Duration;

use prometheus_client::encoding::{text::encode, EncodeLabelSet};
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use prometheus_client::registry::Registry;

const SERIES: usize = 1000;
const ROUNDS: usize = 9;
const CALLS: u32 = 200_000;
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Query {
    operation: String,
    table: String,
}

type Pairs = Vec<(String, String)>;

fn main() {
    let identity = [("service_name", "bench"), ("service_namespace", "shop")]
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
    let mut registry = Registry::with_labels(identity.into_iter());
    let orders = Family::<Query, Counter<f64, std::sync::atomic::AtomicU64>>::default();
    let duration = Family::<Query, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
    registry.register("shop_orders", "Orders", orders.clone());
    registry.register("shop_query_duration_seconds", "Time of a query", duration.clone());
    for n in 0..SERIES {
        let value = n as f64 / 97.0;
        orders.get_or_create(&query("select", &format!("t{n}"))).inc_by(value);
        duration.get_or_create(&query("select", &format!("t{n}"))).observe(value);
    }
    let by_pairs = Family::<Pairs, Counter>::default();

    let mut page = String::new();
    let page_ns = best(1, || {
        page.clear();
        encode(&mut page, &registry).unwrap();
    });
    let add_ns = best(CALLS, || {
        orders.get_or_create(&query("select", "t7")).inc();
    });
    let map_ns = best(CALLS, || {
        by_pairs.get_or_create(&pairs("select", "t7")).inc();
    });
    println!(
        "{{\"page_ns\":{page_ns},\"page_bytes\":{},\"add_ns\":{add_ns},\"map_ns\":{map_ns}}}",
        page.len()
    );
}

fn query(operation: &str, table: &str) -> Query {
    Query { operation: operation.to_owned(), table: table.to_owned() }
}

fn pairs(operation: &str, table: &str) -> Pairs {
    [("operation", operation), ("table", table)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// Returns the CPU nanoseconds of one call in the fastest round.
fn best(calls: u32, mut call: impl FnMut()) -> f64 {
    call();
    let round = |_| {
        let start = cpu();
        (0..calls).for_each(|_| call());
        (cpu() - start).as_nanos() as f64 / f64::from(calls)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// Returns the CPU time of this process.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every POSIX system, and the pointer is valid.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
