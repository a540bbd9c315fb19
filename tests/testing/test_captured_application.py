"""The fixture captures an application that configures its own telemetry, in a run of pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import environment

DECLARED = """
    import logging
    from typing import Literal

    import structlog
    from fastapi import FastAPI

    from otel_meta import Counter, Gauge, Histogram, MetaRepo, Slo, configure, instrument_fastapi
    from otel_meta import labels

    @labels
    class Order:
        outcome: Literal["accepted", "declined"]

    class Shop(MetaRepo, name="shop", owner="us"):
        orders = Counter("shop.orders", "Orders", Order)
        size = Histogram("shop.size", "Things in an order", Order, buckets=(1, 10))
        stock = Gauge("shop.stock", "Things in stock", Order)
        acceptance = Slo("shop-acceptance", objective="99%", period="7d",
                         sli=orders.ratio(bad=orders.where(outcome="declined")), why="No shoes")

    def add_routes(app, shop):
        @app.get("/orders/{number}")
        async def order(number: int) -> dict[str, int]:
            shop.orders.add(1, outcome="accepted")
            shop.size.record(3, outcome="accepted")
            shop.stock.set(number, outcome="accepted")
            structlog.get_logger("shop").info("ordered", number=number)
            logging.getLogger("warehouse").warning("packed")
            return {"number": number}
"""
APP = f"""{DECLARED}
    telemetry = configure("storefront", Shop)
    shop = telemetry.bind(Shop)
    app = FastAPI()
    instrument_fastapi(app, telemetry)
    add_routes(app, shop)
"""
FACTORY = f"""{DECLARED}
    def create_app():
        telemetry = configure("storefront", Shop, set_global=False)
        app = FastAPI()
        app.state.telemetry = telemetry
        instrument_fastapi(app, telemetry)
        add_routes(app, telemetry.bind(Shop))
        return app
"""
CHECK = """
    from fastapi.testclient import TestClient

    def check(app, Shop, captured):
        assert 200 == TestClient(app).get("/orders/7").status_code
        assert 1 == captured.value(Shop.orders, outcome="accepted")
        assert 1 == captured.value(Shop.size)
        assert 7 == captured.value(Shop.stock)
        assert (0, 1) == captured.slo_events(Shop.acceptance)
        assert "storefront" == captured.telemetry.settings.service_name
        assert ["GET /orders/{number}"] == [span.name for span in captured.spans()]
        (ordered, packed) = [each for each in captured.logs() if each["logger"] in LOGGERS]
        assert ("ordered", 7, "packed") == (ordered["event"], ordered["number"], packed["event"])
        assert ordered["trace_id"] == packed["trace_id"]

    LOGGERS = ("shop", "warehouse")
"""
TOP = """
    import pytest
    import app as module
    from app import Shop
    from check import check

    @pytest.mark.parametrize("time", [1, 2])
    def test_order(captured_telemetry, time):
        check(module.app, Shop, captured_telemetry)
"""
INSIDE = """
    import pytest
    from check import check

    @pytest.mark.parametrize("time", [1, 2])
    def test_order(captured_telemetry, time):
        from app import Shop, app

        check(app, Shop, captured_telemetry)
"""
CREATED = """
    import pytest
    from app import Shop, create_app
    from check import check

    @pytest.mark.parametrize("time", [1, 2])
    def test_order(captured_telemetry, time):
        app = create_app()
        check(app, Shop, captured_telemetry)
        app.state.telemetry.shutdown()
        assert 1 == captured_telemetry.value(Shop.orders)

    @pytest.mark.parametrize("time", [1, 2])
    def test_order_without_shutdown(captured_telemetry, time):
        check(create_app(), Shop, captured_telemetry)
"""
NO_APP = """
    from app import Shop

    def test_order(captured_telemetry):
        captured_telemetry.bind(Shop).orders.add(1, outcome="declined")

        assert (1, 1) == captured_telemetry.slo_events(Shop.acceptance)
        assert 1 == captured_telemetry.value(Shop.orders, outcome="declined")
        assert "service-under-test" == captured_telemetry.telemetry.settings.service_name
"""
NAMED = """
    import logging
    import app as module
    from app import Shop
    from check import check
    from otel_meta.testing import capture

    def test_order():
        with capture(module.telemetry) as captured:
            check(module.app, Shop, captured)
        module.shop.orders.add(1, outcome="accepted")
        logging.getLogger("shop").warning("late")

        assert 1 == len(captured.spans())
        assert "late" not in [line["event"] for line in captured.logs()]

    def test_nested(captured_telemetry):
        with capture("inner", Shop) as inner:
            inner.bind(Shop).orders.add(5, outcome="accepted")
        module.shop.orders.add(1, outcome="accepted")

        assert 1 == captured_telemetry.value(Shop.orders)
        assert "storefront" == captured_telemetry.telemetry.settings.service_name
"""
CAPLOG = """
    import logging
    import app as module
    from app import Shop
    from check import check

    def test_caplog(captured_telemetry, caplog):
        check(module.app, Shop, captured_telemetry)

        assert "packed" in caplog.messages
"""
REMOVED = """
    import logging
    import structlog
    import app as module
    from otel_meta.testing import capture

    def test_nothing_is_left():
        def state():
            processors = module.telemetry.traces.provider._active_span_processor._span_processors
            return (
                list(logging.getLogger().handlers),
                list(structlog.get_config()["processors"]),
                len(processors),
            )

        with capture(module.telemetry):
            pass
        before = state()
        for _ in range(50):
            with capture(module.telemetry):
                pass

        assert before == state()
"""


NO_SPANS = """
    import pytest
    import app as module
    from fastapi.testclient import TestClient
    from otel_meta.testing import capture

    def test_spans(captured_telemetry):
        TestClient(module.app).get("/orders/7")

        with pytest.warns(UserWarning, match="no span was captured, .* OTEL_SDK_DISABLED; remove"):
            assert () == captured_telemetry.spans()

    @pytest.mark.filterwarnings("error")
    def test_isolated():
        with capture() as captured:
            assert () == captured.spans()
"""


@pytest.mark.parametrize(
    ("app", "tests", "passed"),
    [
        pytest.param(APP, [TOP, CAPLOG, REMOVED, NAMED], 6, id="imported at the top"),
        pytest.param(APP, [INSIDE], 2, id="imported inside the test"),
        pytest.param(FACTORY, [NO_APP, CREATED], 5, id="made by a factory"),
    ],
)
def test_application_is_captured(tmp_path: Path, app: str, tests: list[str], passed: int) -> None:
    """The spans, series, SLO events and log lines of a test are captured, and no earlier ones."""
    done = run_tests(tmp_path, app, tests)

    assert f"{passed} passed" in done.stdout, done.stdout + done.stderr
    assert 0 == done.returncode


def test_missing_spans_of_disabled_application_are_explained(tmp_path: Path) -> None:
    """A test that finds no span is warned of OTEL_SDK_DISABLED, which the application has read."""
    done = run_tests(tmp_path, APP, [NO_SPANS], OTEL_SDK_DISABLED="true")

    assert "2 passed" in done.stdout, done.stdout + done.stderr


def run_tests(
    folder: Path, app: str, tests: list[str], **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder with an application and its tests."""
    files = {f"test_{number}.py": test for number, test in enumerate(tests)}
    for name, text in {"app.py": app, "check.py": CHECK, **files}.items():
        (folder / name).write_text(dedent(text))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
