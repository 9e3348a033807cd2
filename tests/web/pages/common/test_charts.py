"""Charts: where things lie on the drawing, worked out by hand, and the SVG that comes of it."""

import math
from xml.etree import ElementTree

import pytest
from flask import render_template_string

from web.app import App
from web.pages.common.charts import Chart, Mark, Series, line_chart, make_ticks

DATABASES = ("sqlite",)


def draw(app: App, chart: Chart) -> ElementTree.Element:
    with app.test_request_context():
        page = render_template_string('{% import "shared/_charts.html" as c %}{{ c.line_chart(chart) }}', chart=chart)
    return ElementTree.fromstring(page)


def hundred() -> Chart:
    """Three points on a drawing from 0 to 10 across and 0 to 100 up."""
    points = [(0.0, 0.0), (5.0, 50.0), (10.0, 100.0)]
    return line_chart([Series("a", points)], "x", "y", title="A Title", x_range=(0, 10), y_range=(0, 100))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0.12, 0.69, [0, 0.2, 0.4, 0.6, 0.8]),
        (0.91, 0.99, [0.9, 0.92, 0.94, 0.96, 0.98, 1.0]),
        (3, 3, [1, 2, 3, 4, 5]),
        (0, 0, [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]),
        (0, 23_000, [0, 5000, 10_000, 15_000, 20_000, 25_000]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(low: float, high: float, ticks: list[float]) -> None:
    assert make_ticks(low, high) == ticks


def test_whole_numbers_have_no_ticks_between_them() -> None:
    assert make_ticks(1, 3, least=1.0) == [1, 2, 3]


def test_points_lie_where_the_scales_say() -> None:
    line = hundred().lines[0]
    # 13 to 97 percent across; down, 206 px is the bottom and 30 px the top; the box begins at the top.
    assert line.path == "0.0,176.0 500.0,88.0 1000.0,0.0"
    assert [(dot.x, dot.y) for dot in line.dots] == [(13.0, 206.0), (55.0, 118.0), (97.0, 30.0)]
    assert [(tick.at, tick.text) for tick in hundred().y_ticks] == [
        (206.0, "0"),
        (170.8, "20"),
        (135.6, "40"),
        (100.4, "60"),
        (65.2, "80"),
        (30.0, "100"),
    ]


def test_a_value_outside_the_given_range_is_drawn_at_its_edge() -> None:
    chart = line_chart([Series("a", [(0, -5), (1, 3)])], "x", "y", title="t", x_range=(0, 1), y_range=(0, 2))
    assert chart.lines[0].path == "0.0,176.0 1000.0,0.0"


def test_values_that_are_no_numbers_are_left_out() -> None:
    chart = line_chart([Series("a", [(0, 1), (1, math.nan), (2, math.inf), (3, 2)])], "x", "y", title="t")
    assert len(chart.lines[0].dots) == 2


def test_one_epoch_alone_lies_in_the_middle_and_nothing_at_all_is_no_error() -> None:
    alone = line_chart([Series("a", [(1, 0.5)])], "epoch", "loss", title="t", x_is_whole=True)
    assert alone.lines[0].dots[0].x == 55.0
    assert [tick.text for tick in alone.x_ticks] == ["1"]
    empty = line_chart([Series("a", [])], "epoch", "loss", title="t")
    assert empty.lines[0].path == ""


def test_many_points_are_a_line_without_dots() -> None:
    chart = line_chart([Series("a", [(n, n) for n in range(41)])], "x", "y", title="t")
    assert (chart.lines[0].dots, chart.lines[0].path.count(",")) == ([], 41)


def test_the_drawing_has_a_title_a_description_and_a_legend(app: App) -> None:
    series = [Series("training & more", [(1, 2), (2, 3)]), Series("validation", [(1, 1), (2, 2)], style=2)]
    chart = line_chart(
        series, "epoch", "loss", title="Loss <1>", description="It falls.", marks=[Mark(2, "best")], x_is_whole=True
    )
    drawing = draw(app, chart)
    assert drawing.findtext(".//title[@id='chart-loss-1-title']") == "Loss <1>"
    assert drawing.findtext(".//desc[@id='chart-loss-1-text']") == "It falls."
    assert [item.find("svg").tail for item in drawing.iter("li")] == ["training & more", "validation"]  # type: ignore[union-attr]
    lines = drawing.findall(".//polyline")
    assert [line.get("data-style") for line in lines] == ["1", "2"]
    assert "best" in [text.text for text in drawing.iter("text")]


def test_each_dot_says_its_value(app: App) -> None:
    chart = line_chart([Series("loss", [(1, 0.25), (2, 0.5)])], "epoch", "loss", title="t", x_is_whole=True)
    assert [dot.text for dot in chart.lines[0].dots] == ["loss: 0.25 (epoch 1)", "loss: 0.5 (epoch 2)"]
    assert "loss: 0.25 (epoch 1)" in [title.text for title in draw(app, chart).iter("title")]
