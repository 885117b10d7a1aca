"""How tables and instants stand in the files that systems deliver."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def instant(moment: datetime) -> str:
    """With milliseconds, in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
