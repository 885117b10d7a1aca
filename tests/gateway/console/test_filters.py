from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from gateway.console.filters import ADDRESS, NAMES, Filters, link
from gateway.exceptions.search import Sort

_values = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() and text == text.strip())
_filters = st.builds(
    Filters,
    chosen=st.dictionaries(
        st.sampled_from(NAMES), st.lists(_values, min_size=1, max_size=3, unique=True).map(tuple), max_size=4
    ),
    text=st.one_of(st.just(""), _values),
    sort=st.sampled_from(Sort),
    page=st.integers(1, 999),
)


def _read(address: str) -> Filters:
    return Filters.read(QueryParams(address.removeprefix(ADDRESS).removeprefix("?")))


@given(_filters)
def test_an_address_leads_back_to_the_filters_that_made_it(filters: Filters) -> None:
    assert _read(filters.address) == filters


def test_what_makes_no_sense_in_an_address_is_left_out() -> None:
    odd = _read("?severity=&severity=S1&severity=S1&sort=upwards&page=-3&colour=red&text=%00%0a")
    assert odd == Filters({"severity": ("S1",)})


def test_a_case_without_currency_can_be_asked_for() -> None:
    assert link(kind="leak", currency=None) == "/exceptions?kind=leak&currency=none"


def test_taking_a_filter_away_begins_at_the_first_page() -> None:
    both = Filters({"severity": ("S1", "S2")}, page=4)
    assert both.without("severity", "S1") == Filters({"severity": ("S2",)})
    assert both.without("severity", "S1").without("severity", "S2") == Filters()


def test_the_search_gets_its_own_filters() -> None:
    query = _read("?kind=leak&owner=ann&team=it&sla=breached&text=acme&sort=due&page=2").query
    assert (query.money_kind, query.owner, query.team) == (("leak",), ("ann",), ("it",))
    assert (query.text, query.sort, query.page, query.late) == ("acme", Sort.DUE, 2, False)
