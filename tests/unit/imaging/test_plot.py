from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from edged.imaging.plot import scatter

SVG = "{http://www.w3.org/2000/svg}"


def test_a_plot_is_svg_with_a_dot_for_each_point_inside_the_picture() -> None:
    series = {"stride": [(20.0, 95.0, "5"), (100.0, 100.0, "1")], "adaptive & more": [(12.0, 99.0, "<a>")]}
    root = ElementTree.fromstring(scatter(series, x_title="cost", y_title="good"))
    dots = root.findall(f".//{SVG}circle")
    assert len(dots) == 3
    assert all(0 < float(dot.attrib["cx"]) < 640 and 0 < float(dot.attrib["cy"]) < 400 for dot in dots)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"cost", "good", "<a>", "adaptive & more ●"} <= set(words)


def test_one_point_alone_can_be_drawn() -> None:
    assert "circle" in scatter({"one": [(1.0, 1.0, "")]}, x_title="x", y_title="y")


def test_what_is_written_beside_a_point_at_the_right_edge_stands_on_its_left() -> None:
    root = ElementTree.fromstring(scatter({"": [(0.0, 0.0, "cheap"), (100.0, 1.0, "dear")]}, x_title="", y_title=""))
    anchors = {text.text: text.attrib["text-anchor"] for text in root.iter(f"{SVG}text")}
    assert (anchors["cheap"], anchors["dear"]) == ("start", "end")
