"""The books as one request sees them: its drafts in front of the stored ones, the rest narrowed down to its accounts.

Everything here is TEMP on the request's own cursor, and gone when it closes.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from books.engine import Engine, Request
from gateway.prebill.drafts import Drafts
from gateway.prebill.truth import Truth

_OVERLAID = {"invoices": "key", "invoice_lines": "invoice_key"}
# Where the ids of drafts are looked up: rows of the customers that the drafts are for.
_LOOKED_UP = ("subscriptions", "subscription_lines", "billing_schedules")

# The customer of each draft: by the id of the account, else by its number where only one customer has it.
_INVOICES = """
    WITH numbered AS (
        SELECT number, min(account_key) AS account_key FROM truth.accounts
        WHERE system = $system AND NOT deleted AND number IN (SELECT account_id FROM said_invoices)
        GROUP BY number HAVING count(DISTINCT account_key) = 1
    )
    SELECT i.* REPLACE (coalesce(a.account_key, n.account_key) AS account_key) FROM said_invoices i
    LEFT JOIN truth.accounts a ON a.system = $system AND a.key = i.account_id AND NOT a.deleted
    LEFT JOIN numbered n ON n.number = i.account_id
"""
# What each line bills. An id comes before a number, a line before one of its schedule rows.
_LINES = """
    WITH asked AS (
        SELECT DISTINCT subscription_line_key AS id FROM said_invoice_lines WHERE subscription_line_key IS NOT NULL
    ), found AS (
        SELECT key AS id, key AS line, NULL AS row, 1 AS rank FROM subscription_lines
            WHERE system = $system AND NOT deleted AND key IN (SELECT id FROM asked)
        UNION ALL SELECT number, key, NULL, 2 FROM subscription_lines
            WHERE system = $system AND NOT deleted AND number IN (SELECT id FROM asked)
        UNION ALL SELECT key, subscription_line_key, key, 3 FROM billing_schedules
            WHERE system = $system AND NOT deleted AND key IN (SELECT id FROM asked)
    ), charges AS (
        SELECT id, arg_min(line, (rank, line)) AS line, arg_min(row, (rank, line)) AS row FROM found GROUP BY id
    ), numbered AS (
        SELECT number, max_by(key, version) AS key FROM subscriptions
        WHERE system = $system AND NOT deleted AND number IN (SELECT subscription_key FROM said_invoice_lines)
        GROUP BY number
    )
    SELECT l.* REPLACE (
        i.account_key AS account_key,
        coalesce(s.key, l.subscription_key) AS subscription_key,
        coalesce(c.line, l.subscription_line_key) AS subscription_line_key,
        coalesce(l.line_version_key, c.row) AS line_version_key)
    FROM said_invoice_lines l JOIN drafted_invoices i ON i.key = l.invoice_key
    LEFT JOIN numbered s ON s.number = l.subscription_key
    LEFT JOIN charges c ON c.id = l.subscription_line_key
"""
# Stored drafts that the request's stand for: of the same run, with the same id or with the same number.
_REPLACED = """
    SELECT key FROM truth.invoices WHERE system = $system AND status = 'draft' AND (
        run_key = $run OR key IN (SELECT key FROM said_invoices) OR number IN (SELECT number FROM said_invoices))
"""
_SHOWN = """
    SELECT i.key AS id, i.account_id, i.account_key, i.currency, i.total, 
"""
