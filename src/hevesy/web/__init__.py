"""The faces that open in a browser; each needs the extra ``hevesy[web]``."""
