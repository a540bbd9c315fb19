"""Cases of the page of metrics and of the process, which other folders test."""

from __future__ import annotations

from typing import Final

ELSEWHERE: Final = {
    "A lone surrogate in a label does not fail the scrape.": (
        "tests/runtime/prometheus/test_scrape.py",
        "test_lone_surrogate_in_label_value_does_not_fail_scrape",
    ),
    "Two libraries under one metric name keep their labels.": (
        "tests/runtime/prometheus/test_sdk_metrics.py",
        "test_series_of_two_libraries_under_one_name_keep_their_labels",
    ),
    "Values of keys that collide in Prometheus are joined.": (
        "tests/runtime/prometheus/test_attributes.py",
        "test_values_of_colliding_keys_are_joined_in_order_of_keys",
    ),
    "An exponential histogram does not fail the scrape.": (
        "tests/runtime/prometheus/test_sdk_metrics.py",
        "test_exponential_histogram_is_left_out_and_reported",
    ),
    "A callback that raises does not affect other metrics.": (
        "tests/runtime/test_metrics.py",
        "test_callback_that_raises_does_not_affect_other_metrics",
    ),
    "Workers count every response together.": (
        "tests/workers/test_uvicorn.py",
        "test_every_answer_is_counted",
    ),
    "The total of several workers never decreases.": (
        "tests/workers/test_uvicorn.py",
        "test_counter_never_decreases",
    ),
    "A forked child begins at zero.": (
        "tests/runtime/test_fork.py",
        "test_totals_of_child_begin_at_zero_even_through_calls",
    ),
    "A disabled SDK exports nothing and opens no port.": (
        "tests/runtime/test_configure.py",
        "test_disabled_application_answers_and_exports_nothing",
    ),
}
"""The file and the name of the test by the claim."""
