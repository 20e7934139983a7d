"""Work that outlasts a request: queued in the database, done by worker processes."""
