"""Tieout's own controls: holds, overrides, and writes that went around the flow."""
