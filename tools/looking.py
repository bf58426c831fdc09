"""`openbook` in processes of its own, for tests, benchmarks and pictures: runs, and the server of the page."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUBJECTS = ("the film", "this movie", "the actor", "her story", "the music", "a scene")
VERBS = ("was", "is", "seemed", "felt", "looked")
ENDS = ("wonderful", "boring", "long", "bright", "sad", "full of joy", "hard to follow")

HOSTILE_TEXT = "<img src=x onerror=alert(1)> <script>alert(2)</script>"

SMALL = (
    *("--size", "tiny", "--width", "32", "--num-blocks", "2", "--num-heads", "2", "--context-length", "32"),
    *("--vocabulary-size", "320", "--batch-size", "4", "--precision", "float32", "--quiet"),
)


@dataclass(frozen=True)
class Home:
    """A folder with runs and a cache that belong to the tests alone.

    Args:
        cache: another cache, where what was fetched before need not be fetched again.
    """

    folder: Path
    cache: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that lives here."""
        cache = self.cache or self.folder / "cache"
        own = {"OPENBOOK_RUNS": str(self.folder / "runs"), "OPENBOOK_CACHE": str(cache)}
        return os.environ | own

    def command(self, *words: object) -> list[str]:
        """The words of an `openbook` command."""
        return [sys.executable, "-m", "openbook", *map(str, words)]

    def openbook(self, *words: object) -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def train(self, name: str, *, num_steps: int, seed: int = 0) -> str:
        """Train a small text generator, if there is none of that name yet; return its name."""
        if (self.folder / "runs" / name).exists():
            return name
        texts = self.folder / "texts"
        if not texts.exists():
            write_texts(texts)
        options = ("--steps", num_steps, "--seed", seed, "--name", name, *SMALL)
        self.openbook("train", "text-generator", "--data", texts, *options)
        return name

    def look(self, *words: object) -> Server:
        """Start a server of the page, and wait until it listens."""
        log = self.folder / "server.log"
        with log.open("a", encoding="utf-8") as complaints:
            process = subprocess.Popen(
                self.command("look", *words, "--no-browser", "--json"),
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            with process:
                raise RuntimeError(log.read_text("utf-8"))
        return Server(process, json.loads(line)["url"])


@dataclass(frozen=True)
class Server:
    """A server of the page, and what it answers."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            content: bytes = answer.read()
        return content

    def state(self) -> Any:
        """What the page asks first."""
        return json.loads(self.get("api/state"))

    def model_id(self, title: str) -> str:
        """What the server calls the model of this title."""
        (found,) = (str(model["id"]) for model in self.state()["models"] if model["title"] == title)
        return found

    def stop(self) -> int:
        """End it as Ctrl-C does; return the exit code."""
        with self.process:
            # Windows has no way to send Ctrl-C to one process.
            self.process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
            try:
                return self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise


def write_texts(folder: Path) -> None:
    """Sixty little reviews, and one that would like to be a part of the page."""
    rng = random.Random(0)
    folder.mkdir(parents=True)
    for number in range(60):
        sentences = (f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(ENDS)}." for _ in range(12))
        (folder / f"{number:02}.txt").write_text(" ".join(sentences), "utf-8")
    (folder / "hostile <b>.txt").write_text(f"{HOSTILE_TEXT} " * 8, "utf-8")
