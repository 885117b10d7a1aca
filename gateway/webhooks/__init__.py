"""Webhooks in: messages of source systems are checked, kept, and answered; a job then reads what they name."""
