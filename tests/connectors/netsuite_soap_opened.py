"""NetSuite by SOAP, opened for a test."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.mapping_file import parse, shipped
from connectors.netsuite.config import NetSuiteConfig
from connectors.netsuite.soap.connector import NetSuiteSoap
from sandbox.netsuite.soap.definition import FOLDER

SECRETS = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer-secret",
    "token_id": "token-id",
    "token_secret": "token-secret",
}
WSDL = str(FOLDER / "netsuite.wsdl")


def opened(clock: Callable[[], datetime], yaml: str = "", **said: Any) -> NetSuiteSoap:
    """A connector with the simulator's own WSDL and the shipped mapping, unless other things are said."""
    config = NetSuiteConfig("1234567_SB1", **{"transport": "soap", "wsdl": WSDL, **SECRETS, **said})
    assert config.token_keys is not None
    return NetSuiteSoap(config, config.token_keys, parse(yaml) if yaml else shipped("netsuite_soap"), clock)
