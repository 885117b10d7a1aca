"""Connectors: each reads one system.

The libraries that carry their requests tell, at their debug level, whole addresses, headers and messages: session ids,
tokens and signatures among them. Nobody can keep those out of a log afterwards, so they say no more than warnings,
whatever level a process sets.
"""

import logging

TALKATIVE = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "urllib3.connectionpool",
    "zeep.transports",
)


def _is_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


for _name in TALKATIVE:
    logging.getLogger(_name).addFilter(_is_a_warning)
