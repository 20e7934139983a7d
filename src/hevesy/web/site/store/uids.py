"""What a DICOM unique identifier looks like."""

from __future__ import annotations

import re

UID = re.compile(r"[0-9]+(\.[0-9]+)+")
