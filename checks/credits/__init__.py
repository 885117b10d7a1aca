"""Credit memos without reason, counterpart or measure."""
