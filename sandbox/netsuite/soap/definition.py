"""The web service that is simulated, as zeep reads it. Loaded once per process."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from zeep import Settings
from zeep.transports import Transport
from zeep.wsdl import Document

FOLDER = Path(__file__).parent / "wsdl"
VERSION = "2023_2"
WSDL_PATH = f"/wsdl/v{VERSION}_0"
PORT_PATH = f"/services/NetSuitePort_{VERSION}"
CORE = f"urn:core_{VERSION}.platform.webservices.netsuite.com"
FAULTS = f"urn:faults_{VERSION}.platform.webservices.netsuite.com"
SALES = f"urn:sales_{VERSION}.transactions.webservices.netsuite.com"
CUSTOMERS = f"urn:customers_{VERSION}.transactions.webservices.netsuite.com"
RELATIONSHIPS = f"urn:relationships_{VERSION}.lists.webservices.netsuite.com"


@lru_cache(maxsize=1)
def document() -> Any:
    transport: Any = Transport()  # zeep declares the class where it takes an instance
    return Document(str(FOLDER / "netsuite.wsdl"), transport, settings=Settings(strict=True))


@lru_cache(maxsize=1)
def operations() -> Any:
    """The operations of the binding by name, each with its `input` and `output` message."""
    (binding,) = document().bindings.values()
    return binding.all()


@lru_cache(maxsize=64)
def type_named(namespace: str, name: str) -> Any:
    """A type of the web service, which is called to make a value of it."""
    return document().types.get_type(f"{{{namespace}}}{name}")


def description(name: str, base_url: str) -> str | None:
    """A file of the description, or None. The one without a name is the WSDL for who asks the endpoint for it: its
    files are not beside it then."""
    if not name:
        text = (FOLDER / "netsuite.wsdl").read_text()
        return text.replace('schemaLocation="', f'schemaLocation="{base_url}{WSDL_PATH}/')
    return (FOLDER / name).read_text() if name in {path.name for path in FOLDER.iterdir()} else None
