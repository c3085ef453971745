"""What the core wants from the bucket, carried out: each order becomes a call and comes back as an event."""

from bot.shell.freight.carrier import DATA, SHELF, TERMS, VERIFYING, Freight

__all__ = ["DATA", "SHELF", "TERMS", "VERIFYING", "Freight"]
