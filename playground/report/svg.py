"""A chart of the app as inline SVG: drawn on this machine, with nothing in it that could run or fetch."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground.charts.style import Chart
from playground.errors import PlaygroundError

WIDE, NARROW = 640, 340
"""Widths in pixels: of a page, and of a phone. Text keeps its size, so a chart is drawn for each."""
_CONFIG = {
    "background": "#ffffff",
    # Whoever reads this may have a wider font than the one that was measured here.
    "padding": {"left": 24, "right": 16, "top": 5, "bottom": 5},
    "font": "Liberation Sans, Arial, sans-serif",
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "labelColor": "#333f3c", "titleColor": "#333f3c"},
    "legend": {"labelFontSize": 12, "columnPadding": 28, "labelColor": "#333f3c"},
    "view": {"stroke": "#d5dbd9"},
}
_TAGS = frozenset({"svg", "g", "path", "rect", "line", "text", "tspan", "circle", "defs", "clipPath", "title"})
_ATTRIBUTES = frozenset({
    "class", "clip-path", "cx", "cy", "d", "dx", "dy", "fill", "fill-opacity", "font-family", "font-size", "font-style",
    "font-weight", "height", "id", "opacity", "r", "rx", "ry", "stroke", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor", "transform",
    "version", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
})  # fmt: skip


def draw(chart: Chart, prefix: str, widths: Sequence[int] = (WIDE, NARROW)) -> tuple[str, ...]:
    """The chart at each width; `prefix` keeps its ids apart from those of the page's other charts.

    Raises `PlaygroundError` where it cannot be drawn.
    """
    # The screen draws the same charts; checking each against the schema again would take as long as drawing it.
    spec = chart.chart.to_dict(validate=False)
    if not spec.get("$schema", "").rpartition("/")[2].startswith("v6."):
        raise PlaygroundError("This version of altair makes charts that the report cannot draw.")
    drawn = _drawn(spec, widths, chart.title)
    return tuple(_clean(ET.fromstring(d), chart.alt, f"{prefix}{i}-") for i, d in enumerate(drawn))


def _drawn(spec: Mapping[str, Any], widths: Sequence[int], title: str) -> list[str]:
    import vl_convert

    try:
        vega = vl_convert.vegalite_to_vega({**spec, "width": widths[0]}, vl_version="6.4", config=_CONFIG)
        return [vl_convert.vega_to_svg({**vega, "width": width}, allowed_base_urls=[]) for width in widths]
    except ValueError as error:
        raise PlaygroundError(f"The chart {title!r} could not be drawn.") from error


def _clean(root: ET.Element, alt: str, prefix: str) -> str:
    for parent in root.iter():
        for child in [c for c in parent if _name(c) not in _TAGS]:
            parent.remove(child)
    for element in root.iter():
        element.tag = _name(element)
        element.attrib = dict(_kept(element, prefix))
    root.attrib |= {"role": "img", "aria-label": alt}
    return ET.tostring(root, encoding="unicode")


def _name(element: ET.Element) -> str:
    # Comments and processing instructions have a function for a tag.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _kept(element: ET.Element, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in element.attrib.items():
        if key == "id":
            yield key, f"{prefix}{value}"
        elif "url(" in value:
            if value.startswith("url(#"):
                yield key, value.replace("url(#", f"url(#{prefix}")
        elif key in _ATTRIBUTES and key != "class":
            yield key, value
