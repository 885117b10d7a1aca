"""Whom the clients of all tests trust: each would read the certificates again, to use none of them on a loopback."""

import ssl

TLS = ssl.create_default_context()
