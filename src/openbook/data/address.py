"""An origin: a file at an http or https address."""

import http.client
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from openbook.data.cache import BrokenDownloadError, CacheEntry, Progress, file_sha256
from openbook.data.display import harmless, size_text
from openbook.errors import FetchError

__all__ = ["AddressOrigin", "is_address"]

_TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 18
_PROGRESS_EVERY_S = 2.0
_PIN = "sha256="


def is_address(text: str) -> bool:
    """Whether the text is an address of any scheme rather than a path (a drive letter is none)."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


@dataclass(frozen=True, kw_only=True)
class AddressOrigin:
    """A file at an address.

    Its content is pinned by `sha256`; without one, what the first download brought is kept and recorded.
    """

    address: str
    sha256: str | None = None

    def __post_init__(self) -> None:
        _check_address(self.address)

    @classmethod
    def parse(cls, text: str) -> "AddressOrigin":
        """An origin from an address as a person writes it; `#sha256=…` at its end pins the content."""
        address, _, fragment = text.strip().partition("#")
        sha256 = fragment.removeprefix(_PIN).lower() if fragment.startswith(_PIN) else None
        if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise FetchError(f"{harmless(text)}: expected 64 hexadecimal digits after #{_PIN}.")
        return cls(address=address, sha256=sha256)

    def __str__(self) -> str:
        # What follows the question mark can be a signature or a password, and runs are shown to others.
        place, question_mark, _ = self.address.partition("?")
        return harmless(place + ("?…" if question_mark else ""))

    def find(self) -> Path | None:
        """The file if it is in the cache."""
        return self._entry.find()

    def obtain(self, *, max_bytes: int, progress: Progress) -> Path:
        """The file, downloaded."""

        def download(target: Path, attempt: int) -> None:
            progress(f"Fetching {self}")
            try:
                self._download(target, max_bytes=max_bytes, progress=progress)
            except urllib.error.HTTPError as error:
                error.close()
                problem = BrokenDownloadError if error.code >= 500 else FetchError
                raise problem(
                    f"{self}: the server answered {error.code} {harmless(error.reason)}."
                ) from error
            except TimeoutError as error:
                raise BrokenDownloadError(f"{self}: nothing came for {_TIMEOUT_S:.0f} s.") from error
            except urllib.error.URLError as error:
                raise FetchError(f"{self}: cannot be reached ({harmless(str(error.reason))}).") from error
            except (http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
                raise BrokenDownloadError(
                    f"{self}: the connection broke ({harmless(str(error))})."
                ) from error

        return self._entry.fill(download, progress=progress)

    def record(self) -> dict[str, object]:
        """The address and what its content was."""
        path = self._entry.path
        sha256 = self.sha256 or (file_sha256(path) if path.exists() else None)
        return {"kind": "address", "address": str(self), "sha256": sha256}

    def by_hand(self) -> str | None:
        """A browser reaches addresses that a program may not; the cache then checks the file."""
        if self.sha256 is None:
            return None
        return f"download {self} with a browser and save it as {self._entry.path}"

    @property
    def _entry(self) -> CacheEntry:
        last = urllib.parse.unquote(PurePosixPath(urllib.parse.urlsplit(self.address).path).name)
        file_name = re.sub(r"[^A-Za-z0-9._-]+", "_", last)[-80:].lstrip(".") or "download"
        return CacheEntry(file_name=file_name, wanted=self.address, sha256=self.sha256)

    def _download(self, target: Path, *, max_bytes: int, progress: Progress) -> None:
        opener = urllib.request.build_opener(_SafeRedirects)
        quoted = urllib.parse.quote(self.address, safe="%/:=&?~+!$,;'@()*[]")
        request = urllib.request.Request(quoted, headers={"User-Agent": "openbook", "Accept": "*/*"})
        with opener.open(request, timeout=_TIMEOUT_S) as response, target.open("wb") as output:
            promised = response.headers.get("Content-Length", "")
            num_promised = int(promised) if promised.isdecimal() else None
            if num_promised is not None and num_promised > max_bytes:
                raise _too_large(self, max_bytes)
            num_bytes, told_s = 0, time.monotonic()
            while chunk := response.read(_CHUNK_BYTES):
                num_bytes += len(chunk)
                if num_bytes > max_bytes:
                    raise _too_large(self, max_bytes)
                output.write(chunk)
                if time.monotonic() - told_s > _PROGRESS_EVERY_S:
                    told_s = time.monotonic()
                    progress(f"Fetched {size_text(num_bytes)} of {size_text(num_promised or max_bytes)}")
        if num_promised is not None and num_bytes != num_promised:
            raise BrokenDownloadError(
                f"{self}: cut off after {size_text(num_bytes)} of {size_text(num_promised)}."
            )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https back to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fp.close()
        _check_address(newurl)
        if req.type == "https" and not newurl.lower().startswith("https:"):
            raise FetchError(
                f"{harmless(newurl)}: an https address redirects to an unprotected one; refused."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(address: str) -> None:
    shown = harmless(address.partition("?")[0])
    try:
        parts = urllib.parse.urlsplit(address)
        has_host, user, _ = bool(parts.hostname), parts.username, parts.port
    except ValueError as error:
        raise FetchError(f"{shown}: is not an address ({error}).") from error
    if parts.scheme not in ("http", "https"):
        raise FetchError(
            f"{shown}: only http and https addresses can be fetched, got {parts.scheme}. "
            f"For something on this machine give its path."
        )
    if user is not None:
        raise FetchError(
            f"{parts.scheme}://…@{parts.hostname}: give an address without a user name and password."
        )
    if not has_host or re.search(r"[\x00-\x1f\x7f]", address):
        raise FetchError(f"{shown}: is not an address. Expected https://HOST/FILE.")


def _too_large(origin: AddressOrigin, max_bytes: int) -> FetchError:
    return FetchError(
        f"{origin}: is larger than the limit of {size_text(max_bytes)}. Raise the limit with --max-bytes."
    )
