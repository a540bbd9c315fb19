from __future__ import annotations

from otel_meta.fleet.answers import Exemplar
from otel_meta.fleet.explain.bad_exemplars import spread


def exemplar(at: float) -> Exemplar:
    """Return an exemplar of a moment."""
    return Exemplar(series={}, labels={"trace_id": str(at)}, value=1.0, at=at)


def test_exemplars_are_spread_over_the_time() -> None:
    """Of many exemplars twelve are kept: the latest, and others back to the beginning."""
    kept = [each.at for each in spread(map(exemplar, range(100)))]

    assert 99 == kept[0]
    assert 12 == len(kept)
    assert sorted(kept, reverse=True) == kept
    assert kept[-1] < 15


def test_few_exemplars_are_all_kept() -> None:
    """Few exemplars are all kept, latest first."""
    assert [3, 2, 1] == [each.at for each in spread(map(exemplar, (2, 3, 1)))]
