"""An application for tests: jobs that write files step by step and count what they did in the database."""
