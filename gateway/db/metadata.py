"""Every table of the gateway: importing this module fills `Base.metadata`."""

from gateway.crosswalk import tables as _crosswalk
from gateway.db.base import Base
from gateway.evaluations import tables as _evaluations
from gateway.exceptions import tables as _exceptions
from gateway.keys import tables as _keys
from gateway.notices import outbox as _notices
from gateway.prebill import tables as _prebill
from gateway.sweeping import tables as _sweeping
from gateway.sync import tables as _sync
from gateway.webhooks import tables as _webhooks

metadata = Base.metadata

__all__ = ["metadata"]
_MODULES = (_crosswalk, _evaluations, _exceptions, _keys, _notices, _prebill, _sweeping, _sync, _webhooks)
