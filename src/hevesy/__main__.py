"""``python -m hevesy``."""

from hevesy.cli import main

raise SystemExit(main())
