"""Slips in a declaration: each is answered by its file and line, and by the cure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import RunCommand, Write

HEAD = """\
from enum import Enum
from fractions import Fraction
from typing import Literal
from otel_meta import *
@labels
class Route:
    mode: Literal["car", "foot"]
class Plain:
    mode: str
orders = Counter("shop.orders", "Orders", Route)
failed = Counter("shop.failed", "Orders that failed", Route)
latency = Histogram("shop.latency", "Time to order", Route, unit="s", buckets=(0.1, 1))
stock = Gauge("shop.stock", "Things in stock", NoLabels)
"""
LINE = HEAD.count("\n") + 1

SLO = {
    "objective": "'99.9%'",
    "period": "'30d'",
    "sli": "orders.ratio(bad=failed)",
    "why": "'Buyers leave'",
}
ALERT = {
    "name": "'OutOfStock'",
    "measure": "measures.latest(stock)",
    "below": "1",
    "severity": "'page'",
    "summary": "'The stock is empty'",
}


def slo(**changed: str) -> str:
    """Return the source of an SLO with changed arguments."""
    arguments = ", ".join(f"{name}={value}" for name, value in {**SLO, **changed}.items())
    return f"Slo('shop-orders', {arguments})"


def alert(**changed: str) -> str:
    """Return the source of an alert with changed arguments."""
    arguments = ", ".join(f"{name}={value}" for name, value in {**ALERT, **changed}.items())
    return f"Alert({arguments})"


def counter(name: str = "'shop.tills'", text: str = "'Open tills'", more: str = "NoLabels") -> str:
    """Return the source of a counter."""
    return f"Counter({name}, {text}, {more})"


def histogram(buckets: str) -> str:
    """Return the source of a histogram."""
    return f"Histogram('shop.size', 'Size of orders', NoLabels, buckets={buckets})"


def labels_with(field: str) -> str:
    """Return the source of a set of labels with one field."""
    return f"labels(type('Tags', (), {{'__annotations__': {{{field}}}}}))"


def repo(body: str = "x = 1", keywords: str = "name='shop', owner='us'") -> str:
    """Return the source of a meta-repository on one line."""
    return f"class Shop(MetaRepo, {keywords}): {body}"


BUCKETS = "give finite upper bounds above zero, each larger than the one before"
SEVERITIES = "choose one of 'page', 'ticket'; 'critical' elsewhere is 'page'; 'warning' elsewhere"

OPEN = "'code': str"

SLIPS = {
    # texts
    "empty description": (counter(text="''"), "has an empty description; describe in one"),
    "description of blanks": (counter(text="' \\n'"), "has an empty description; describe in"),
    "description of one letter": (counter(text="'x'"), "has the description 'x'; describe in"),
    "description is number": (counter(text="5"), "has the description 5; describe in one"),
    "description is None": (counter(text="None"), "has the description None; describe in one"),
    "description repeats name": (counter(text="'shop_tills open'"), "begins with its name; desc"),
    "why is empty": (
        slo(why="''"),
        "SLO 'shop-orders': has an empty why; describe in one sentence",
    ),
    "why is list": (slo(why="['a']"), "has the why ['a']; describe in one sentence the impact"),
    "summary is empty": (alert(summary="''"), "alert 'OutOfStock': has an empty summary; describe"),
    # closed sets
    "severity critical": (
        alert(severity="'critical'"),
        f"{SEVERITIES} is 'ticket'; did you mean 'pa",
    ),
    "severity warning": (alert(severity="'warning'"), "'ticket'; did you mean 'ticket'?"),
    "severity misspelt": (
        alert(severity="'pgae'"),
        "has the severity 'pgae'; choose one of 'page'",
    ),
    "severity upper case": (alert(severity="'PAGE'"), "did you mean 'page'?"),
    "severity is None": (alert(severity="None"), "has the severity None; choose one of"),
    "severity of burn window": (
        "BurnWindow('critical', Fraction(1, 50), Duration('1h'), Duration('5m'))",
        "did you mean 'page'?",
    ),
    "multiprocess mode": (
        "Gauge('a.b', 'Text', NoLabels, multiprocess_mode='recent')",
        "choose one of 'mostrecent', 'sum', 'max', 'min', 'all'; did you mean 'mostrecent'?",
    ),
    "aggregation": ("measures.latest(stock, aggregation='mean')", "did you mean 'avg'?"),
    "function over time": (
        "measures.over_time(stock, 'maximum', '1h')",
        "has the function over time 'maximum'; choose one of 'avg', 'max', 'min'",
    ),
    "group by text": ("measures.latest(stock, by='service_name')", 'by=("service_name",)'),
    "group by misspelt": (
        "measures.latest(stock, by=('service',))",
        "did you mean 'service_name'?",
    ),
    "tier": (repo(keywords="name='shop', owner='us', tier='one'"), "choose 1, 2 or 3"),
    "period without windows": (
        slo(period="'31d'"),
        "choose one of 7d, 28d, 30d, 90d, or give burn",
    ),
    "label value misspelt": (
        "orders.where(mode='cra')",
        "choose from ['car', 'foot']; did you mean",
    ),
    "label misspelt": ("orders.where(mod='car')", "choose from ['mode']; did you mean 'mode'?"),
    "label value of open label is number": (
        f"{counter(more=labels_with(OPEN))}.where(code=500)",
        "label 'code' never is 500; label values are strings in quotes",
    ),
    # units
    "unit is number": (counter(more="NoLabels, unit=5"), "has the unit 5; give a UCUM code in qu"),
    "unit ms": (counter(more="NoLabels, unit='ms'"), 'use "s": Prometheus uses base units'),
    "unit seconds": (counter(more="NoLabels, unit='Seconds'"), 'use "s"'),
    "unit MB": (counter(more="NoLabels, unit='MB'"), 'use "By"'),
    "unit word": (counter(more="NoLabels, unit='orders'"), 'an annotation such as "{orders}"'),
    # objectives
    "objective 0.999": (slo(objective="0.999"), "objective 0.999: is not a per"),
    "objective 0.99": (slo(objective="0.99"), 'write it as "99%"'),
    "objective text 99.9": (slo(objective="'99.9'"), 'write it as "99.9%"'),
    "objective number 99.9": (slo(objective="99.9"), 'write it as "99.9%"'),
    "objective with comma": (slo(objective="'99,95%'"), 'write it as "99.95%"'),
    "objective 1": (slo(objective="1"), "an objective of 100 % has no error budget"),
    "objective 100": (slo(objective="100"), "an objective of 100 % has no error budget"),
    "objective 100%": (slo(objective="'100%'"), "an objective of 100 % has no error budget"),
    "objective None": (slo(objective="None"), 'write it as "99.9%"'),
    # durations
    "period 30 days": (slo(period="'30 days'"), "SLO 'shop-orders', duration '30 days': is not a"),
    "period of words": (slo(period="'4 weeks'"), 'write it as "28d"'),
    "period is number": (slo(period="30"), "write it as 30s, 5m, 6h or 30d"),
    "duration of two units": ("measures.rate(orders, '1h30m')", 'write it as "90m"'),
    "duration of timedelta": (
        "Duration(__import__('datetime').timedelta(hours=2))",
        'write it as "2h"',
    ),
    "duration of alert": (alert(for_="'5 min'"), "alert 'OutOfStock', duration '5 min': is not"),
    "burn window of texts": (
        "BurnWindow('page', 0.02, '1h', '5m')",
        "has the window '1h'; write it as Duration(\"1h\")",
    ),
    "budget as float": (
        "BurnWindow('page', 0.02, Duration('1h'), Duration('5m'))",
        'write 2 % as Fraction("0.02")',
    ),
    "quantile 95": ("measures.quantile(latency, 95, '1h')", 'write P95 as "0.95"'),
    "quantile p99": ("measures.quantile(latency, 'p99', '1h')", 'write P99 as "0.99"'),
    # buckets
    "buckets of text": (histogram("'abc'"), f"has the buckets 'abc'; {BUCKETS}"),
    "buckets of texts": (histogram("('1', '2')"), BUCKETS),
    "buckets not sorted": (histogram("(2, 1)"), BUCKETS),
    "buckets repeated": (histogram("(1, 1)"), BUCKETS),
    "buckets infinite": (histogram("(1, float('inf'))"), "a bucket without a bound is added"),
    "buckets nan": (histogram("(1, float('nan'))"), BUCKETS),
    "buckets negative": (histogram("(-1, 1)"), BUCKETS),
    "buckets empty": (histogram("()"), BUCKETS),
    "buckets number": (histogram("5"), f"has the buckets 5; {BUCKETS}"),
    "buckets None": (histogram("None"), f"has the buckets None; {BUCKETS}"),
    # indicators
    "bad is text": (
        "orders.ratio(bad='failed')",
        "'failed': is not a declared metric; give the metr",
    ),
    "bad is all": (
        "orders.ratio(bad=orders)",
        "counts all of its events as a part of",
    ),
    "good is all": (
        "orders.ratio(good=orders)",
        "select the part, as in orders.ratio(bad=orders.wh",
    ),
    "bad is gauge": (
        "orders.ratio(bad=stock)",
        "is a gauge; this SLI is for counters and histograms",
    ),
    "part and whole exchanged": (
        "orders.where(mode='car').ratio(bad=orders)",
        "counts all of its events as a part of its events",
    ),
    "part outside of the whole": (
        "orders.where(mode='car').ratio(bad=orders.where(mode='foot'))",
        "select the same labels in both, as orders.ratio(...).where(...) does",
    ),
    "bad by position": ("orders.ratio(failed)", "write it as ratio([bad=...], [good=...])"),
    "bad misspelt": ("orders.ratio(bda=failed)", "did you mean 'bad'?"),
    "bound is no bucket": ("latency.within(0.3)", "add 0.3 to its buckets, or choose one of"),
    "bound is text": (
        "latency.within('1')",
        "has the bound '1'; give a finite number, without quo",
    ),
    "bound of gauge": ("stock.at_least('1')", "has the bound '1'; give a finite number"),
    "within of counter": (
        "orders.where(mode='car').within(1)",
        "is a counter; this SLI is for histograms",
    ),
    "metric as indicator": (
        slo(sli="orders"),
        "name the good or bad events: counter.ratio(bad=...)",
    ),
    "list of metrics as indicator": (slo(sli="[orders]"), "name the good or bad events"),
    "metric as measure": (alert(measure="stock"), "give a measure, such as measures.latest(gauge)"),
    "measure of list": (
        "measures.rate([orders], '1h')",
        "is not a declared metric; give the metric",
    ),
    "min_bad_events": (
        slo(min_bad_events="'x'"),
        "has the min_bad_events 'x'; give a whole number",
    ),
    "bound of alert": (
        alert(below="'1'"),
        "has the bound '1'; give a finite number, without quotes",
    ),
    # calls
    "argument misspelt": (slo(min_bad="3"), "did you mean 'min_bad_events'?"),
    "arguments by position": (
        "Slo('shop-orders', '99.9%', '30d')",
        "Slo 'shop-orders': too many positional arguments; write it as Slo(name, objective=...,",
    ),
    "argument missing": ("Slo('shop-orders', objective='99%')", "missing a required "),
    "labels missing": (
        "Counter('a.b', 'Text')",
        "write it as Counter(name, description, labels, [",
    ),
    "owner missing": (repo(keywords="name='shop'"), "'owner'; write it as"),
    "argument unknown": (
        slo(target="'99%'"),
        "has no argument 'target'; write it as Slo(name, obj",
    ),
    "keyword of class misspelt": (
        repo(keywords="name='shop', owner='us', teir=1"),
        "class Shop: has no argument 'teir'; write it as class Shop(MetaRepo, name=..., owner=...,",
    ),
    "label by position": ("orders.where('car')", "write it as where(**labels)"),
    "buckets of a gauge": (
        "Gauge('a.b', 'Text', NoLabels, buckets=(1,))",
        "has no argument 'buckets'; write it as Gauge(name, description, labels, [unit=...],",
    ),
    "buckets in a set": (histogram("{1, 2}"), BUCKETS),
    "buckets beyond floats": (histogram("(1, 10**400)"), BUCKETS),
    # names
    "name with blanks": (counter("'Orders Placed'"), "did you mean 'orders_placed'?"),
    "name in camel case": (counter("'ordersPlaced'"), "did you mean 'orders_placed'?"),
    "name with dashes": (counter("'orders-placed'"), "did you mean 'orders_placed'?"),
    "name with total": (counter("'orders.total'"), "the exported name of a counter ends in _total"),
    "name with unit": (
        "Gauge('seconds.of.sleep', 'Sleep', NoLabels, unit='s')",
        "leave the word out: exporters append the unit to the name",
    ),
    "name is number": (counter("5"), "metric 5: is not the same on every export path"),
    "name of SLO": ("Slo('Shop Orders', objective='99%')", "missing a required"),
    "name of repository": (repo(keywords="name='My Shop', owner='us'"), "did you mean 'my-shop'?"),
    "name of alert": (alert(name="'out-of-stock'"), 'write it as "CircuitBreakerOpen"'),
    # labels
    "labels not decorated": (counter(more="Plain"), "decorate it with @labels"),
    "labels of list": (
        counter(more="['mode']"),
        "metric 'shop.tills', ['mode']: is not a set of labels; give a class that is",
    ),
    "labels None": (counter(more="None"), "decorated with @labels, or NoLabels"),
    "literal of numbers": (labels_with("'code': Literal[200, 500]"), 'Literal["200", "500"]'),
    "boolean label": (labels_with("'paid': bool"), 'declare it as Literal["true", "false"]'),
    "enumeration": (
        labels_with("'mode': Enum('Mode', {'CAR': 'car', 'FOOT': 'foot'})"),
        'declare it as Literal["car", "foot"]',
    ),
    "optional label": (labels_with("'mode': str | None"), 'declare it as str = ""'),
    "unknown type": (labels_with("'mode': 'Mode'"), "have a type that cannot be read: name 'Mode'"),
    "reserved label": (
        labels_with("'job': str"),
        "is reserved for scraping; choose a",
    ),
    "reserved prefix": (labels_with("'exported_by': str"), "is reserved for scraping; choose a"),
    "label without type": (
        "labels(type('Tags', (), {'mode': ''}))",
        "has no type; write mode: str =",
    ),
    # meta-repositories
    "comma at the end": (
        repo("tills = orders,"),
        "Shop.tills: is a tuple with a declaration, which",
    ),
    "list of metrics": (repo("tills = [orders]"), "give each declaration an attribute"),
    "mapping of metrics": (repo("tills = {'all': orders}"), "give each declaration an attribute"),
    "class in place of instance": (
        repo("tills = Counter"),
        "is the class Counter; call it: Counter(",
    ),
    "metric declared twice": (
        repo("a = orders; b = Counter('shop_orders', 'Orders', Route)"),
        "Shop.b: has the name of Shop.a, series 'shop_orders'; rename one",
    ),
    "metric not declared": (
        repo(f"s = {slo()}"),
        "Shop.s: reads shop.orders, which Shop does not declare; make that instrument an attribute",
    ),
    "built-in attribute": (repo("name = orders"), "is an attribute that every meta-repository has"),
    "no owner": (repo(keywords="name='shop', owner=''"), "name the team that its alerts notify"),
}


@pytest.mark.parametrize(("slip", "cure"), SLIPS.values(), ids=SLIPS)
def test_slip_is_answered_by_place_and_cure(
    run_command: RunCommand, write: Write, here: Path, slip: str, cure: str
) -> None:
    """A slip is one line with its file, its line and its cure, and no file is written."""
    write("shop", f"{HEAD}{slip}\n")

    checked = run_command("check", "--only", "--repo", "shop:Shop")
    generated = run_command("generate", "--only", "--repo", "shop:Shop")

    assert (1, "") == (checked[0], checked[2])
    assert (2, f"otel-meta: {checked[1]}") == (generated[0], generated[2])
    assert checked[1].startswith(f"shop.py:{LINE}: ")
    assert cure in checked[1]
    assert 1 == checked[1].count("\n")
    assert ["shop.py"] == [path.name for path in here.iterdir() if path.is_file()]


ACCEPTED = {
    "description without a full stop": counter(),
    "description of several lines": counter(text="'Open tills\\n  of today  '"),
    "description with quotes and braces": counter(text="""'Tills "open" in {{ city }}'"""),
    "description that begins with a word of the name": counter("'tills'", "'tills that are open'"),
    "description in another script": counter(text="'请求'"),
    "why without a full stop": slo(),
    "objective with a space": slo(objective="'99.9 %'"),
    "buckets in a list": histogram("[1, 2]"),
    "buckets of integers and floats": histogram("(1, 2.5)"),
    "indicator after selection": "latency.where(mode='car').within(1)",
    "selection after indicator": "orders.ratio(bad=failed).where(mode='car')",
    "duration of an alert as text": alert(for_="'5m'"),
    "quantile as a number": "measures.quantile(latency, 0.95, '1h')",
    "values in a list": "orders.where(mode=['car', 'foot'])",
    "one metric in two meta-repositories": (
        f"{repo('orders = orders')}\nclass Other(MetaRepo, name='other', owner='us'): more = orders"
    ),
}


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED)
def test_right_form_is_accepted(run_command: RunCommand, write: Write, source: str) -> None:
    """A declaration that only looks like a slip is accepted."""
    write("shop", f"{HEAD}{source}\nclass Last(MetaRepo, name='last', owner='us'): pass\n")

    assert (0, "") == run_command("check", "--only", "--repo", "shop:Last")[::2]
