"""Charts as SVG, drawn on the server. The same figures are drawn once per process.

Text and axes take the page's colour, so that a chart is readable on a light and on a dark page. Bars lead to the
queue; for the keyboard and for screen readers the same numbers and links stand in tables on the page.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from gateway.console.filters import AGES, link

# Vega leaves only absolute addresses as they are; this one is taken off again.
_HOST = "https://console.invalid"
SEVERITY_COLOURS: Mapping[str, str] = {"S1": "#b3261e", "S2": "#d98200", "S3": "#4a7fc1", "S4": "#8a94a3"}
KIND_COLOURS: Mapping[str, str] = {"leak": "#b3261e", "overbill": "#7a4fa3", "timing": "#4a7fc1", "exposure": "#d98200"}
_OPENING = re.compile(r"<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>")
_NOISE = re.compile(r" (?:role|aria-[a-z]+)=\"[^\"]*\"")
_SHORT = "datum.value ? format(datum.value, '~s') : '0'"
_CAPITALISED = "upper(slice(datum.label, 0, 1)) + slice(datum.label, 1)"
_DRAWN = 64


@functools.lru_cache(maxsize=_DRAWN)
def cases_by_age(rows: Sequence[tuple[str, str, int]]) -> Markup:
    """How many cases are how old, by severity. `rows`: (age, severity, cases)."""
    values = [
        {"age": age, "severity": severity, "cases": cases, "address": _HOST + link(age=age, severity=severity)}
        for age, severity, cases in rows
    ]
    chart = _bars(values, 44).encode(
        x=_ages(),
        y=alt.Y("sum(cases):Q", title="Exceptions", axis=alt.Axis(tickMinStep=1, format="d", tickCount=5)),
        color=_coloured("severity", SEVERITY_COLOURS),
        order="severity:N",
    )
    said = "; ".join(f"{age} days, {severity}: {cases}" for age, severity, cases in rows)
    return _drawn(chart, "Open exceptions by age and severity", said)


@functools.lru_cache(maxsize=_DRAWN)
def amounts_by_age(currency: str, rows: Sequence[tuple[str, str, str]]) -> Markup:
    """How much money of one currency is how old, the kinds side by side. `rows`: (age, kind, amount as text)."""
    values = [
        {"age": age, "kind": kind, "amount": amount, "address": _HOST + link(age=age, kind=kind, currency=currency)}
        for age, kind, amount in rows
    ]
    chart = _bars(values, 14).encode(
        x=_ages(),
        xOffset=alt.XOffset("kind:N", sort=list(KIND_COLOURS)),
        y=alt.Y("amount:Q", title=currency, axis=alt.Axis(labelExpr=_SHORT, tickCount=5)),
        color=_coloured("kind", KIND_COLOURS),
    )
    said = "; ".join(f"{age} days, {kind}: {amount} {currency}" for age, kind, amount in rows)
    return _drawn(chart, f"Open amounts in {currency} by age and kind of money", said)


def _bars(values: Sequence[Mapping[str, Any]], width: int) -> Any:
    # Amounts come as text and become numbers in the drawing only.
    data = {"values": list(values), "format": {"parse": {"amount": "number"}}}
    return alt.Chart(data).mark_bar(size=width).encode(href="address:N")


def _ages() -> Any:
    return alt.X("age:N", title="Age in days", scale=alt.Scale(domain=list(AGES)), axis=alt.Axis(labelAngle=0))


def _coloured(name: str, colours: Mapping[str, str]) -> Any:
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{name}:N", scale=scale, legend=alt.Legend(title=None, orient="top", labelExpr=_CAPITALISED))


def _drawn(chart: Any, title: str, description: str) -> Markup:
    quiet = {"labelColor": "currentColor", "titleColor": "currentColor", "labelFontSize": 11, "titleFontSize": 11}
    axis = {**quiet, "domainColor": "#8a94a3", "tickColor": "#8a94a3", "gridColor": "#8a94a3", "gridOpacity": 0.25}
    looks = {
        "font": "DejaVu Sans, system-ui, sans-serif",
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {**axis, "titleFontWeight": "normal", "grid": False},
        "axisY": {"grid": True, "domain": False, "ticks": False},
        "legend": quiet,
    }
    specification = {**chart.properties(width=400, height=170).to_dict(), "config": looks}
    return _inlined(vl_convert.vegalite_to_svg(specification), title, description)


def _inlined(svg: str, title: str, description: str) -> Markup:
    """As part of a page: scales with it, says what it shows, and leads to the page's own addresses."""
    inner = _NOISE.sub("", svg.replace(f'xlink:href="{_HOST}', 'tabindex="-1" xlink:href="'))
    found = _OPENING.search(inner)
    assert found is not None, "Vega draws one <svg> with a viewBox"
    opening = Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'viewBox="{}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>'
    ).format(Markup(found[1]), title, title, description)
    return opening + Markup(inner[found.end() :])
