"""Every check, and every relation that checks share, has its SQL for Spark."""

import pytest

from books.dialects import SPARK
from books.errors import PermanentError
from books.reading import ROLES, Books
from books.spark_sql import spark_sql
from checks.catalogue import CATALOGUE
from checks.ruleset import Ruleset
from gateway.compiled import CompiledFolder
from tests.checks.kit import EVERYTHING

BOOKS = Books({role: (role,) for role in ROLES}, dict.fromkeys(ROLES, EVERYTHING))
RULES = Ruleset(CATALOGUE.values(), BOOKS, shelf=CompiledFolder.of_user()).rules


@pytest.mark.parametrize("check", CATALOGUE)
def test_every_check_compiles(check: str) -> None:
    assert RULES[check].compiled_for(SPARK).sql


def test_an_order_becomes_part_of_what_is_gathered() -> None:
    rows = BOOKS.table("invoices", "billing")
    first = rows.group_by("account_key").agg(
        key=rows.key.first(order_by=[rows.invoice_date.desc(), rows.key]), keys=rows.key.collect(order_by=[rows.total])
    )
    sql = spark_sql(first)
    assert "MIN_BY" in sql
    assert "-DATEDIFF" in sql
    assert "SORT_ARRAY(COLLECT_LIST(" in sql
    with pytest.raises(PermanentError, match="descending"):
        spark_sql(rows.group_by("account_key").agg(key=rows.key.first(order_by=[rows.number.desc()])))
