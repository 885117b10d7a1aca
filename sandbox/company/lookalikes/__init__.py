"""The look-alikes: cases that a rule might take for a defect, and that none may report."""
