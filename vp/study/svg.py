"""Plots as SVG: points with intervals, bars, lines of reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isfinite, log10

WIDTH, HEIGHT = 760, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 24, 44
COLOURS = tuple(f"var(--c{number})" for number in range(6))  # of the page, which has them for light and dark
BAR, GRID, ZERO = "var(--bar)", "var(--grid)", "var(--zero)"


@dataclass(frozen=True)
class Series:
    """Points of one colour: values at the places along the axis, with intervals where there are any."""

    name: str
    values: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()


def points(title: str, labels: Sequence[str], series: Sequence[Series], unit: str, zero: float = 0.0) -> str:
    """Points with their intervals over labelled places; the line at `zero` is what means nothing."""
    lows, highs = zip(*(_extent(one, zero) for one in series), strict=True) if series else ((zero,), (zero,))
    axis = _Axis(min(lows), max(highs))
    drawn = [_frame(title, unit, axis), _line(axis.at(zero), ZERO, "4 3")]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        for place, value in enumerate(one.values):
            if not isfinite(value):
                continue
            x = LEFT + step * (place + (number + 1) / (len(series) + 1))
            if one.lows and isfinite(one.lows[place]) and isfinite(one.highs[place]):
                low, high = axis.at(one.lows[place]), axis.at(one.highs[place])
                drawn.append(f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" style="stroke:{colour}" stroke-width="2"/>')
            drawn.append(f'<circle cx="{x:.1f}" cy="{axis.at(value):.1f}" r="3.5" style="fill:{colour}"/>')
    drawn += [
        f'<text x="{LEFT + step * (place + 0.5):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for place, label in enumerate(labels)
    ]
    return _svg(title, [*drawn, *_legend([one.name for one in series])])


def histogram(title: str, edges: Sequence[float], weights: Sequence[float], value: float, unit: str) -> str:
    """Bars between the edges, as high as their weights by width, and a line at a value."""
    known = [edge for edge in (*edges, value) if isfinite(edge)]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    low, high = low - 0.05 * span, high + 0.05 * span
    heights = [weight / max(b - a, 1e-12) for a, b, weight in zip(edges, edges[1:], weights, strict=False)]
    axis = _Axis(0.0, max(heights, default=1.0))
    across = (WIDTH - LEFT - RIGHT) / (high - low)
    drawn = [_frame(title, "density", axis)]
    for a, b, height in zip(edges, edges[1:], heights, strict=False):
        x, y = LEFT + (a - low) * across, axis.at(height)
        drawn.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.5, (b - a) * across):.1f}" '
            f'height="{max(0.0, HEIGHT - BOTTOM - y):.1f}" style="fill:{BAR}"/>'
        )
    x = LEFT + (value - low) * across
    drawn.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" style="stroke:{COLOURS[1]}" stroke-width="2.5"/>')
    drawn += [
        f'<text x="{LEFT + (tick - low) * across:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{tick:g}</text>'
        for tick in _Axis(low, high).ticks
    ]
    return _svg(title, [*drawn, *_legend([f"shifted in time ({unit})", "as it is"], (BAR, COLOURS[1]))])


class _Axis:
    """A vertical axis over a range, with round ticks."""

    def __init__(self, low: float, high: float) -> None:
        span = (high - low) or 1.0
        self.low, self.high = low - 0.06 * span, high + 0.06 * span
        rough = span / 4
        size = 10.0 ** floor(log10(rough))
        self.step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
        first = floor(self.low / self.step) + 1
        last = floor(self.high / self.step)
        self.ticks = [round(self.step * number, 12) for number in range(first, last + 1)]

    def at(self, value: float) -> float:
        """Where a value is, from the top."""
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def _extent(one: Series, zero: float) -> tuple[float, float]:
    known = [value for value in (*one.values, *one.lows, *one.highs, zero) if isfinite(value)]
    return min(known), max(known)


def _line(y: float, colour: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" style="stroke:{colour}"{dashed}/>'


def _frame(title: str, unit: str, axis: _Axis) -> str:
    rows = [f'<text x="{LEFT}" y="15" class="title">{escape(title)}</text>']
    for tick in axis.ticks:
        y = axis.at(tick)
        rows.append(_line(y, GRID))
        rows.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    rows.append(
        f'<text x="12" y="{middle}" transform="rotate(-90 12 {middle})" text-anchor="middle">{escape(unit)}</text>'
    )
    return "".join(rows)


def _legend(names: Sequence[str], colours: Sequence[str] = COLOURS) -> list[str]:
    drawn, x = [], float(LEFT)
    for number, name in enumerate(names):
        drawn.append(
            f'<circle cx="{x + 4:.1f}" cy="{HEIGHT - 10}" r="4" style="fill:{colours[number % len(colours)]}"/>'
        )
        drawn.append(f'<text x="{x + 12:.1f}" y="{HEIGHT - 6}">{escape(name)}</text>')
        x += 26 + 6.2 * len(name)
    return drawn


def _svg(title: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )
