"""Reports of what files and people name: none of it is markup."""

from __future__ import annotations

import re

import pytest

from vp.study import rendering, svg
from vp.study.report import Heading, Paragraph, Part, Plot, Table

NAME = "<img src=x onerror=alert(1)>&\"'</svg></title><script>\x1b[2J\n| a | b |"
PARTS: list[Part] = [
    Heading(NAME, 1),
    Paragraph(NAME),
    Paragraph(NAME, is_verdict=True),
    Table((NAME,), ((NAME,),)),
    Plot(svg.points(NAME, [NAME], [svg.Series(NAME, [1.0])], NAME)),
    Plot(svg.histogram(NAME, [0.0, 1.0], [1.0], 0.5, NAME)),
]


def test_nothing_that_is_named_is_markup_of_the_page() -> None:
    page = rendering.html(PARTS)
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&amp;") >= 10
    assert not re.search(r"<(img|script)|<svg[^>]*<", page)
    assert page.count("<svg") == page.count("</svg>") == 2
    assert page.count("</title>") == page.count("<title>")


@pytest.mark.parametrize("part", PARTS[:4], ids=lambda part: type(part).__name__)
def test_nothing_that_is_named_is_markup_of_markdown(part: Part) -> None:
    text = rendering.markdown([part])
    assert "&lt;img src=x" in text
    assert not re.search(r"<[A-Za-z/!?]", text)
    assert "\x1b" not in text
    assert len(text.splitlines()) == (3 if isinstance(part, Table) else 1)


def test_signs_that_are_no_markup_stay() -> None:
    assert rendering.markdown([Paragraph("p < 0.05, a > b & c")]) == "p < 0.05, a > b & c\n"
