"""Compile the translations of the pages: each .po file into the .mo file beside it, without the gettext programs.

Usage: python tools/compile_messages.py
"""

from __future__ import annotations

import ast
import re
import struct
from pathlib import Path

WEB = Path(__file__).parents[1] / "src/hevesy/web"
_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s+(".*")')


def read(text: str) -> dict[str, str]:
    """Return what a .po file translates to what: the keys and values of a .mo file.

    What is not translated, and what is marked fuzzy, is left out: the page shows it in English.
    """
    messages: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        current = ""
        for line in block.splitlines():
            if found := _KEYWORD.match(line):
                current = found[1]
                fields[current] = ast.literal_eval(found[3])
            elif line.startswith('"') and current:
                fields[current] += ast.literal_eval(line)
        fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE) and fields.get("msgid")
        if "msgid" not in fields or fuzzy:
            continue
        key = fields["msgid"]
        if "msgctxt" in fields:
            key = f"{fields['msgctxt']}\x04{key}"
        if "msgid_plural" in fields:
            key = f"{key}\0{fields['msgid_plural']}"
        forms = [fields[name] for name in sorted(fields) if name.startswith("msgstr")]
        if all(forms) and forms:
            messages[key] = "\0".join(forms)
    return messages


def compiled(messages: dict[str, str]) -> bytes:
    """Return the bytes of a .mo file (GNU gettext manual, section 10.3), without the table of hashes."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    count, head = len(pairs), 28
    texts = head + 16 * count
    tables: list[list[int]] = [[], []]
    body = b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), texts + len(body)]
            body += pair[side] + b"\0"
    numbers = [0x950412DE, 0, count, head, head + 8 * count, 0, texts, *tables[0], *tables[1]]
    return struct.pack(f"<{len(numbers)}I", *numbers) + body


def main() -> None:
    """Compile all of them."""
    for path in sorted(WEB.rglob("locale/*/LC_MESSAGES/*.po")):
        messages = read(path.read_text(encoding="utf-8"))
        path.with_suffix(".mo").write_bytes(compiled(messages))
        print(f"{path.relative_to(WEB)}: {len(messages) - 1} messages")


if __name__ == "__main__":
    main()
