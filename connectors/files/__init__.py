"""Reads files that others put into a folder."""

from connectors.files.connector import Files, FilesConfig
from connectors.kind import Kind

KIND = Kind(
    "files",
    FilesConfig,
    Files,
    options=frozenset({"pattern", "list", "delimiter"}),
    absence_counts=False,
)
