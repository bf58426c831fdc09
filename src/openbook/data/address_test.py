"""Files at addresses, served on the loopback address with everything that can go wrong."""

import hashlib
from pathlib import Path

import pytest

from openbook.data.address import AddressOrigin, is_address
from openbook.data.cache import silent
from openbook.data.documents import load_texts
from openbook.errors import FetchError

CONTENT = b"first text\n\nsecond text\n\nthird text\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def obtain(address: str, *, sha256: str | None = None, max_bytes: int = 1 << 20):
    return AddressOrigin(address=address, sha256=sha256).obtain(max_bytes=max_bytes, progress=silent)


def redirect_to(target: str, code: int = 302):
    def answer(handler) -> None:
        handler.send_response(code)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def truncated(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:10])


def endless(handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):
        try:
            handler.wfile.write(b"x" * 10_000)
        except OSError:
            return


def no_http(handler) -> None:
    handler.wfile.write(b"\x00\x01 nonsense\r\n\r\n")
    handler.close_connection = True


def test_texts_at_an_address_are_loaded_once_and_then_from_the_cache(server):
    server.answers["/texts.txt"] = CONTENT
    address = server.address("/texts.txt")
    documents = load_texts(address)
    assert documents.texts == ("first text", "second text", "third text")
    assert documents.origin == {"kind": "address", "address": address, "sha256": SHA256}
    server.close()
    assert load_texts(address).fingerprint == documents.fingerprint
    assert server.requests == ["/texts.txt"]


def test_a_pin_in_the_address_is_checked(server):
    server.answers["/texts.txt"] = CONTENT
    assert len(load_texts(f"{server.address('/texts.txt')}#sha256={SHA256}").texts) == 3
    with pytest.raises(FetchError, match=r"has SHA-256 .* expected aaaaaaaaaaaaaaaa"):
        load_texts(f"{server.address('/texts.txt')}#sha256={'a' * 64}")
    with pytest.raises(FetchError, match="64 hexadecimal digits"):
        load_texts(f"{server.address('/texts.txt')}#sha256=abc")


def test_a_changed_cache_entry_is_fetched_again(server):
    server.answers["/texts.txt"] = CONTENT
    path = obtain(server.address("/texts.txt"))
    path.write_bytes(b"tampered\n\nwith")
    assert load_texts(server.address("/texts.txt")).texts[0] == "first text"
    assert len(server.requests) == 2


def test_a_wrong_hash_is_tried_twice_and_refused(server, cache):
    server.answers["/texts.txt"] = b"tampered"
    with pytest.raises(FetchError, match=r"texts.txt has SHA-256 .*Refused after 2 attempts"):
        obtain(server.address("/texts.txt"), sha256=SHA256)
    assert len(server.requests) == 2
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("answer", "said", "num_requests"),
    [
        (truncated, r"cut off after 10 bytes of 36 bytes.*Refused after 2", 2),
        (no_http, r"the connection broke.*Refused after 2", 2),
        (lambda handler: handler.send_error(503), "the server answered 503", 2),
        (lambda handler: handler.send_error(404), "the server answered 404 Not Found", 1),
        (lambda handler: handler.send_error(403), "the server answered 403", 1),
        (endless, r"larger than the limit of 1\.0 MiB", 1),
        (b"x" * ((1 << 20) + 1), r"larger than the limit of 1\.0 MiB", 1),
        (redirect_to("file:///etc/hostname"), "file", 1),
        (redirect_to("ftp://127.0.0.1/texts.txt"), "only http and https", 1),
        (redirect_to("/texts.txt"), "redirect", None),
    ],
)
def test_a_bad_answer_is_refused_and_named(server, cache, answer, said, num_requests):
    server.answers["/texts.txt"] = answer
    with pytest.raises(FetchError, match=said) as caught:
        obtain(server.address("/texts.txt"))
    assert "/texts.txt" in str(caught.value)
    assert num_requests in (None, len(server.requests))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_broken_download_that_works_the_second_time_is_accepted(server):
    def once(handler) -> None:
        server.answers["/texts.txt"] = CONTENT
        truncated(handler)

    server.answers["/texts.txt"] = once
    assert obtain(server.address("/texts.txt"), sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server, code):
    server.answers["/texts.txt"] = CONTENT
    server.answers["/moved"] = redirect_to(server.address("/texts.txt"), code)
    assert obtain(server.address("/moved")).read_bytes() == CONTENT


def test_an_unreachable_address_says_what_to_do(server):
    address = server.address("/texts.txt")
    server.close()
    with pytest.raises(
        FetchError, match=r"(?s)cannot be reached \(.*refused.*Connect to the network"
    ) as caught:
        load_texts(f"{address}#sha256={SHA256}")
    assert "with a browser and save it as" in str(caught.value)


def test_a_file_saved_by_hand_is_used_after_its_check(server):
    address = server.address("/texts.txt")
    origin = AddressOrigin(address=address, sha256=SHA256)
    place = Path(origin.by_hand().rsplit(" ", 1)[1])
    server.close()
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert len(load_texts(f"{address}#sha256={SHA256}").texts) == 3


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("file:///etc/hostname", "only http and https addresses can be fetched, got file"),
        ("ftp://example.org/a.txt", "got ftp"),
        ("data://text/plain,hello", "got data"),
        ("https://user:secret@example.org/a.txt", "without a user name"),
        ("https:///a.txt", "is not an address"),
        ("http://[::1/a.txt", "is not an address"),
        ("http://example.org:port/a.txt", "is not an address"),
        ("http://example.org/a\r\nHost: b", "is not an address"),
    ],
)
def test_other_schemes_and_malformed_addresses_are_refused(address, said):
    with pytest.raises(FetchError, match=said) as caught:
        load_texts(address)
    assert "secret" not in str(caught.value)


def test_letters_outside_ascii_and_spaces_are_encoded(server):
    server.answers["/gr%C3%BC%C3%9Fe%20an%20alle.txt"] = CONTENT
    assert obtain(server.address("/grüße an alle.txt")).read_bytes() == CONTENT


def test_what_follows_the_question_mark_is_sent_and_not_recorded(server):
    server.answers["/texts.txt?token=secret"] = CONTENT
    documents = load_texts(server.address("/texts.txt?token=secret"))
    assert "secret" not in repr(documents)
    with pytest.raises(FetchError) as caught:
        load_texts(server.address("/other.txt?token=secret"))
    assert "secret" not in str(caught.value)


def test_paths_are_not_addresses():
    assert [is_address(text) for text in ("http://a", "FILE://b", "C:\\texts", "C:/texts", "a/b", "a:b")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
