"""Laws of physics, without medicine."""
