"""Plain lines tell what the live display shows."""

import io
from types import SimpleNamespace

from openbook.training.reporter import PlainReporter


def test_plain_data_report_has_its_lines_and_its_examples():
    stream = io.StringIO()
    report = SimpleNamespace(rows=lambda: [("Documents", "2")], examples=("first", "second"))
    PlainReporter(stream).data(report)
    assert stream.getvalue().splitlines() == ["Documents: 2", "Example 1: first", "Example 2: second"]
