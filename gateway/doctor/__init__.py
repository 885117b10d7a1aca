"""Is everything that Tieout needs there, and what is to be done where it is not?"""
