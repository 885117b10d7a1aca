"""The hand-over from billing to revenue recognition."""
