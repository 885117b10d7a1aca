"""The two kinds of SQL that checks are compiled to, by the names that sqlglot has for them."""

DUCKDB = "duckdb"
SPARK = "spark"
