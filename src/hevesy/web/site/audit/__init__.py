"""Who saw and changed what: an append-only record, each line bound to the one before."""
