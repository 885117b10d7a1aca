"""Records that point to a parent, a predecessor or a version that is not the right one."""
