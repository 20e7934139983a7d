"""Quality control of a gamma camera, from the images of its phantoms and sources."""
