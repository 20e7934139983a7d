"""Side by side with peers and published figures: `python -m benchmarks [NAME …]`."""
