from xml.etree import ElementTree

from gateway.console import charts

SVG = "{http://www.w3.org/2000/svg}"
ROWS = (("0-7", "S1", 3), ("7-30", "S2", 1))


def test_a_chart_says_what_it_shows() -> None:
    drawn = ElementTree.fromstring(charts.cases_by_age(ROWS))
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "Open exceptions by age and severity"
    assert drawn.findtext(f"{SVG}desc") == "0-7 days, S1: 3; 7-30 days, S2: 1"


def test_every_bar_leads_to_the_exceptions_behind_it() -> None:
    drawn = charts.amounts_by_age("EUR", (("0-7", "leak", "1200.5000"), ("90+", "timing", "7")))
    links = [link.get("{http://www.w3.org/1999/xlink}href") for link in ElementTree.fromstring(drawn).iter(f"{SVG}a")]
    assert links == ["/exceptions?kind=leak&age=0-7&currency=EUR", "/exceptions?kind=timing&age=90%2B&currency=EUR"]


def test_a_chart_needs_no_style_that_the_page_forbids() -> None:
    drawn = charts.cases_by_age(ROWS)
    assert "style=" not in drawn
    assert "<style" not in drawn
    assert "console.invalid" not in drawn
    assert "currentColor" in drawn


def test_the_same_figures_are_drawn_once() -> None:
    assert charts.cases_by_age(ROWS) is charts.cases_by_age(tuple(ROWS))


def test_names_from_the_data_cannot_leave_the_drawing() -> None:
    drawn = charts.amounts_by_age("<script>", (("0-7", "leak", "1"),))
    assert "<script" not in drawn
    ElementTree.fromstring(drawn)
