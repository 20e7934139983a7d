"""docs/reference/errors.md lists every refusal with its exit code and HTTP status."""

import re
from pathlib import Path

from hevesy import errors

PAGE = Path(__file__).parents[2] / "docs/reference/errors.md"


def test_the_page_lists_every_refusal_with_its_codes():
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (\d+) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stated = {name: (int(code), int(status)) for name, code, status in rows}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HevesyError)]
    assert stated == {k.__name__: (errors.exit_code(k("refused")), errors.http_status(k("refused"))) for k in kinds}
