"""What is wrong with an invoice by itself, or with a run as a whole."""
