"""`python -m gateway.cli`: the same as `tieout`."""

from gateway.cli.app import main

main()
