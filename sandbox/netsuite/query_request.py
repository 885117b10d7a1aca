"""The SuiteQL resource: what a request must look like, and the page that answers it (vendors.md B7)."""

import json
from collections.abc import Mapping

from sandbox.netsuite.account import NetSuiteAccount
from sandbox.netsuite.paging import Page, read_page
from sandbox.netsuite.refusals import RequestRefused

LARGEST_PAGE = 1000
ROW_CAP = 100_000
"""Rows that paging by offset can reach, for accounts without SuiteAnalytics Connect."""


def answer_query(
    account: NetSuiteAccount,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> dict[str, object]:
    """The reply to one request; `headers` has lower-case names, `url` is the resource's. Raises Refusal."""
    _check_headers(headers)
    limit, offset = _window(query)
    text, params = _statement(body)
    page = read_page(account, text, params, limit, offset)
    return {
        "links": _links(url, page, limit, offset),
        "count": len(page.rows),
        "hasMore": offset + len(page.rows) < page.total,
        "items": [{"links": [], **row} for row in page.rows],
        "offset": offset,
        "totalResults": page.total,
    }


def _check_headers(headers: Mapping[str, str]) -> None:
    preferences = [part.strip().lower() for part in headers.get("prefer", "").split(",")]
    if "transient" not in preferences:
        raise RequestRefused("The header 'Prefer: transient' is required.", code="INVALID_HEADER")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestRefused("The content type must be application/json.", code="INVALID_HEADER")


def _window(query: Mapping[str, str]) -> tuple[int, int]:
    limit = _whole(query, "limit", LARGEST_PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise RequestRefused(f"limit must be between 1 and {LARGEST_PAGE}.", query_param="limit")
    offset = _whole(query, "offset", 0)
    if offset % limit:
        raise RequestRefused(f"offset must be divisible by limit ({limit}).", query_param="offset")
    if offset + limit > ROW_CAP:
        raise RequestRefused(f"Rows beyond {ROW_CAP} cannot be read by offset.", query_param="offset")
    return limit, offset


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise RequestRefused(f"{name} must be a whole number.", query_param=name)
    return int(text)


def _statement(body: bytes) -> tuple[str, list[object]]:
    try:
        content = json.loads(body)
    except ValueError:
        raise RequestRefused("The body is not JSON.", code="INVALID_CONTENT") from None
    text = content.get("q") if isinstance(content, dict) else None
    params = content.get("params", []) if isinstance(content, dict) else None
    if not isinstance(text, str) or not isinstance(params, list):
        raise RequestRefused('The body must be {"q": text, "params": [...]}.', code="INVALID_CONTENT")
    return text, params


def _links(url: str, page: Page, limit: int, offset: int) -> list[dict[str, str]]:
    last = max(page.total - 1, 0) // limit * limit
    offsets: dict[str, int] = {}
    if offset + len(page.rows) < page.total:
        offsets["next"] = offset + limit
    if page.total > limit:
        offsets["last"] = last
    if offset > 0:
        offsets["first"] = 0
        offsets["previous"] = offset - limit
    offsets["self"] = offset
    return [{"rel": rel, "href": f"{url}?limit={limit}&offset={at}"} for rel, at in offsets.items()]
