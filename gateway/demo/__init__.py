"""The demo: a simulated company and its systems, read, checked, gated and alerted by the product itself."""
