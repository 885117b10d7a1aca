"""What the customer received and no invoice asks for."""
