"""An installation's own checks: Python modules and SQL statements in the folder that tieout.yaml names."""
