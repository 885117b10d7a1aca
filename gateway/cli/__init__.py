"""The command `tieout`: one module per command."""
