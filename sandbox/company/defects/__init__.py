"""The planted defects: one module for each check, named after it, in the folder of its family."""
