"""Stages of the way from image to dose; each takes nouns, returns nouns and knows no other stage."""
