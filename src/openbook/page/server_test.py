"""The server itself: its address, several at once, and work that nobody waits for any more."""

import http.client
import threading
import time

import pytest

from openbook.errors import UsageError
from openbook.looking import subject_of
from openbook.page.jobs import Cancelled
from openbook.page.server import PageServer


@pytest.fixture
def server(forecaster):
    server = PageServer([subject_of(forecaster)])
    server.start()
    yield server
    server.close()


def test_address_is_on_this_machine_with_a_token_of_its_own(server, forecaster):
    other = PageServer([subject_of(forecaster)])
    other.start()
    assert server.url == f"http://127.0.0.1:{server.port}/{server.token}/"
    assert len(server.token) >= 32
    assert (other.port, other.token) != (server.port, server.token)
    other.close()


def test_answers_come_without_delay(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    durations_s = []
    for _ in range(20):
        begin_s = time.monotonic()
        connection.request("GET", f"/{server.token}/api/models/forecaster/examples")
        connection.getresponse().read()
        durations_s.append(time.monotonic() - begin_s)
    connection.close()
    # Delayed acknowledgements would cost 40 ms on nearly every request; a busy machine delays some.
    assert sorted(durations_s)[5] < 0.03


def test_closing_the_connection_cancels_the_work(server, monkeypatch):
    ended = threading.Event()

    def work(model_id, request, report):
        try:
            while True:
                report("compiling", "…")
                time.sleep(0.01)
        except Cancelled:
            ended.set()
            raise

    monkeypatch.setattr(server.library, "make", work)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", f"/{server.token}/api/models/forecaster/traces", body=b"{}")
    answer = connection.getresponse()
    assert answer.read(5) == b"event"
    answer.close()
    connection.close()
    assert ended.wait(5)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_port_that_is_none_is_refused(port):
    with pytest.raises(UsageError, match="from 0 to 65535"):
        PageServer([], port=port)
