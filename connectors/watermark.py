"""How far back a walk starts before the position where the last one stopped."""

from datetime import datetime, timedelta

from connectors.contract import Position


def look_back(since: Position | None, wanted_s: int | None, default_s: int) -> datetime | None:
    """The stamp to start from; None for the beginning. `wanted_s` is the mapping's, `default_s` the connector's.

    Rows commit after their stamp, so that a walk that starts exactly at the last stamp loses some (vendors.md E1).
    """
    if since is None or since.stamp is None:
        return None
    return since.stamp - timedelta(seconds=default_s if wanted_s is None else wanted_s)
