"""Write the tables of the reference pages that follow from the code: keys of case.yaml and results.json, errors.

    python tools/write_reference.py          writes them
    python tools/write_reference.py --check  says which pages are behind, and writes nothing

A page is written by hand but for what stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from hevesy import errors

PAGES = Path(__file__).parents[1] / "docs/reference"
TABLE = re.compile(r"(?<=<!-- table: )(\w+)( -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)

Schema = dict[str, Any]

#: what is said in a word instead of key by key
SHORT = {
    "#/$defs/measured": "`value`, `u`",
    "#/$defs/measured_or_null": "`value`, `u`; or null",
    "#/$defs/triple": "three numbers",
    "#/$defs/region": "as an entry of `regions`",
}


def main() -> None:
    """Write every page that is behind, or name it."""
    behind = [page for page in sorted(PAGES.glob("*.md")) if written(page) != page.read_text(encoding="utf-8")]
    if "--check" in sys.argv:
        sys.exit(f"Behind the code: {', '.join(p.name for p in behind)}. Run it without --check." if behind else 0)
    for page in behind:
        page.write_text(written(page), encoding="utf-8")
        print(page)


def written(page: Path) -> str:
    """Return a page with its tables as the code has them."""
    return TABLE.sub(lambda found: found[1] + found[2] + TABLES[found[1]]() + "\n", page.read_text(encoding="utf-8"))


def case_table() -> str:
    """Return the keys of case.yaml."""
    return schema_table(files("hevesy.workflows") / "schema/case-1.0.json")


def results_table() -> str:
    """Return the keys of results.json."""
    return schema_table(files("hevesy.stages.reporting") / "schema/results-1.0.json")


def errors_table() -> str:
    """Return every refusal with its exit code and HTTP status."""
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.HevesyError)]
    rows = [
        f"| `{kind.__name__}` | {(kind.__doc__ or '').splitlines()[0]} |"
        f" {errors.exit_code(kind('refused'))} | {errors.http_status(kind('refused'))} |"
        for kind in kinds
    ]
    return "\n".join(["| error | when | exit code | HTTP status |", "|---|---|---|---|", *rows])


def schema_table(file: Any) -> str:
    """Return a table of all keys of a JSON Schema, nested ones by their path."""
    schema = json.loads(file.read_text(encoding="utf-8"))
    lines = [f"| `{path}` | {kind} | {meaning} |" for path, kind, meaning in rows(schema, schema, "")]
    return "\n".join(["| key | form | meaning |", "|---|---|---|", *lines])


def rows(node: Schema, root: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, form and meaning of every key below a node."""
    for key, child in node.get("properties", {}).items():
        yield from row(child, root, f"{path}.{key}".lstrip("."))
    if isinstance(node.get("additionalProperties"), dict):
        named = resolved(node["additionalProperties"], root)
        if "properties" in named:
            yield from rows(named, root, f"{path}.NAME")
    if "items" in node:
        yield from rows(resolved(node["items"], root), root, f"{path}[]")
    for choice in node.get("oneOf", []):
        yield from rows(resolved(choice, root), root, path)


def row(child: Schema, root: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield a key and what is below it."""
    meaning = child.get("description", "")
    full = resolved(child, root)
    short = SHORT.get(child.get("$ref", ""))
    yield path, short or form(full, root), meaning or full.get("description", "")
    if not short:
        yield from rows(full, root, path)


def resolved(node: Schema, root: Schema) -> Schema:
    """Return a node, or what it refers to."""
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def form(node: Schema, root: Schema) -> str:
    """Return the form of a value in words."""
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join("null" if value is None else f"`{value}`" for value in node["enum"])
    if "oneOf" in node:
        return " or ".join(dict.fromkeys(form(resolved(choice, root), root) for choice in node["oneOf"]))
    kinds = node.get("type", "any")
    words = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    return words + bounds(node)


def bounds(node: Schema) -> str:
    """Return the bounds of a number in words."""
    parts = [
        f"{sign} {node[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in node
    ]
    return f", {', '.join(parts)}" if parts else ""


TABLES = {"case": case_table, "results": results_table, "errors": errors_table}

if __name__ == "__main__":
    main()
