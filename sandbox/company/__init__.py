"""A simulated company: one seed gives its CRM, its billing platform, its ERP and its meters, and what is wrong in them.

`build` makes it; `Company` has the rows, the labels, and ways to load the simulators of the vendors.
"""

from sandbox.company.company import NOW, Company, build
from sandbox.company.labels import Consequence, LookAlike, Planted

__all__ = ["NOW", "Company", "Consequence", "LookAlike", "Planted", "build"]
