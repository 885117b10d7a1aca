"""A simulated company: one seed gives its CRM, its billing platform, its ERP and its meters, and what is wrong in them.

`build` makes it, `sites` a large one part by part; `Company` has the rows, the labels, and ways to load the vendors'
simulators.
"""

from sandbox.company.company import NOW, Company, build, sites
from sandbox.company.labels import Consequence, LookAlike, Planted

__all__ = ["NOW", "Company", "Consequence", "LookAlike", "Planted", "build", "sites"]
