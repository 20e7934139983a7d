"""A DICOMweb server as a client sees it: search (QIDO-RS), fetch (WADO-RS), send (STOW-RS); PS3.18."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

import requests

from hevesy.errors import EmptyInput, PeerFailed
from hevesy.web.site.store.found import FOUND, FoundStudy
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Archive
from hevesy.web.site.store.multipart import PIECE, Parts, boundary_of, written
from hevesy.web.site.store.sealing import unseal

#: s to connect, and between two pieces of an answer
PATIENCE_S = (10, 120)
_JSON = "application/dicom+json"
_PARTS = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_FAILED = "00081198"


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """A server.

    Parameters
    ----------
    address : str
        What stands before ``/studies``.
    login : (str, str) or None
        Name and password.
    """

    address: str
    login: tuple[str, str] | None = None

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """Return the server that an administrator named."""
        login = (archive.username, unseal(archive.sealed)) if archive.username else None
        return cls(archive.address.rstrip("/"), login)

    def search(self, **filters: str) -> list[FoundStudy]:
        """Return studies that match, at most `FOUND`.

        Parameters
        ----------
        **filters
            Keyword to value, such as ``PatientID="P1"``; empty ones ask for nothing.

        Raises
        ------
        PeerFailed
            If the server does not answer as it should.
        """
        asked = {key: value for key, value in filters.items() if value}
        fields = {"includefield": "00081030", "limit": str(FOUND)}
        query = urlencode(asked | fields, safe="*", quote_via=quote)  # Orthanc 1.10 knows a plain star alone
        answer = self._ask("GET", f"/studies?{query}", headers={"Accept": _JSON})
        if answer.status_code == 204:
            return []
        try:
            return [_study(item) for item in answer.json()]
        except (ValueError, AttributeError, TypeError) as error:
            raise PeerFailed(f"The archive's answer is no {_JSON}.") from error

    def retrieve(self, study: str, folder: Path, progress: Callable[[float | None, str], None]) -> int:
        """Fetch the objects of a study into a folder, as they are stored there, and return how many.

        Raises
        ------
        PeerFailed
            If the server does not answer as it should, or sends more than is allowed.
        EmptyInput
            If the study holds nothing.
        """
        limits = Limits()
        folder.mkdir(parents=True, exist_ok=True)
        count = size = 0
        with self._ask("GET", f"/studies/{study}", headers={"Accept": _PARTS}, stream=True) as answer:
            parts = Parts(_guarded(answer), boundary_of(answer.headers.get("Content-Type", "")))
            while True:
                path = folder / f"{count + 1}.dcm"
                with path.open("wb") as file:
                    more = parts.write_next(file)
                if not more:
                    path.unlink()
                    break
                count, size = count + 1, size + path.stat().st_size
                if count > limits.files or size > limits.total:
                    raise PeerFailed("The archive sends more than is allowed.", "Fetch fewer series.")
                progress(None, f"{count} objects fetched")
        if not count:
            raise EmptyInput("The archive holds nothing of this study.")
        return count

    def store(self, paths: Sequence[Path]) -> None:
        """Send objects.

        Raises
        ------
        PeerFailed
            If the server refuses one of them.
        """
        boundary = secrets.token_hex(16).encode("ascii")
        form = f'multipart/related; type="application/dicom"; boundary={boundary.decode("ascii")}'
        headers = {"Content-Type": form, "Accept": _JSON}
        answer = self._ask("POST", "/studies", headers=headers, data=written(paths, boundary, "application/dicom"))
        try:
            failed = answer.json().get(_FAILED, {}).get("Value", [])
        except ValueError:
            failed = []
        if failed or answer.status_code != 200:
            raise PeerFailed(f"The archive refused {len(failed) or 'some'} of {len(paths)} objects.", "See its log.")

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = requests.request(
                method, self.address + path, auth=self.login, timeout=PATIENCE_S, allow_redirects=False, **options
            )
        except requests.RequestException as error:  # its text may hold the address with its password
            raise PeerFailed(f"The archive does not answer ({type(error).__name__}).", "Check its address.") from None
        if answer.status_code in (401, 403):
            raise PeerFailed("The archive does not accept the name or password.", "Ask an administrator of this site.")
        if not 200 <= answer.status_code < 300:
            raise PeerFailed(f"The archive answered {answer.status_code} {answer.reason}.")
        return answer


def _guarded(answer: requests.Response) -> Any:
    try:
        yield from answer.iter_content(PIECE)
    except requests.RequestException as error:
        raise PeerFailed(f"The archive broke off ({type(error).__name__}).", "Fetch it again.") from None


def _study(item: dict[str, Any]) -> FoundStudy:
    return FoundStudy(
        uid=_value(item, "0020000D"),
        patient=_value(item, "00100010"),
        identifier=_value(item, "00100020"),
        description=_value(item, "00081030"),
        date=_value(item, "00080020"),
        modalities=_value(item, "00080061"),
        objects=_value(item, "00201208"),
    )


def _value(item: dict[str, Any], tag: str) -> str:
    values = item.get(tag, {}).get("Value") or []
    shown = (v.get("Alphabetic", "") if isinstance(v, dict) else str(v) for v in values)
    return " ".join(shown)[:200]
