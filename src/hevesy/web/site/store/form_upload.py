"""Files of a plain form, written straight to the import's folder as they arrive."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from hevesy.errors import BadInput, HevesyError
from hevesy.web.site.store.uploads import Upload


class KeepFiles(FileUploadHandler):
    """Write each file as its pieces come, and keep in mind the first that was refused.

    Parameters
    ----------
    request : HttpRequest
        The form.
    upload : Upload
        Where the files go.
    """

    def __init__(self, request: HttpRequest, upload: Upload) -> None:
        super().__init__(request)
        self.upload, self.refusal = upload, None
        self.files = self.bytes = 0
        self._name = ""

    refusal: HevesyError | None

    def new_file(self, *arguments: Any, **options: Any) -> None:
        """Choose a name that is free: a form sends those of two folders without the folders."""
        super().new_file(*arguments, **options)
        self.files += 1
        self._name = self.file_name or "unnamed"
        if self.upload.length(self._name) is not None:
            self._name = f"{self.files}/{self._name}"
        self._write(b"", 0)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece."""
        self.bytes += len(raw_data)
        self._write(raw_data, start)

    def file_complete(self, file_size: int) -> None:
        """Keep the file out of the request: it lies in its place."""

    def _write(self, content: bytes, start: int) -> None:
        limits = self.upload.limits
        try:
            if self.files > limits.files or self.bytes > limits.total:
                raise BadInput(
                    f"More than {limits.files} files or {limits.total} bytes.", "Send them in several imports."
                )
            self.upload.write(self._name, start, BytesIO(content))
        except HevesyError as refusal:
            self.refusal = self.refusal or refusal
            raise SkipFile from refusal
