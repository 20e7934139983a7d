"""Recipes: one file a clinical question, joining stages."""
