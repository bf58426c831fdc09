"""Who is answered and who is not, and with which headers."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from openbook.page.app import make_app
from openbook.page.guard import MAX_REQUEST_BYTES, Guard
from openbook.page.traces import Library


async def echo(request):
    return PlainTextResponse(f"{request.url.path} {len(await request.body())}")


@pytest.fixture
def client():
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])
    guarded = Guard(app, token="secret", port=4321)
    return TestClient(guarded, base_url="http://127.0.0.1:4321", follow_redirects=False)


def test_token_opens_the_door_and_is_hidden_from_the_application(client):
    answer = client.get("/secret/api/state")
    assert answer.status_code == 200
    assert answer.text == "/api/state 0"


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/secre/", "/secrets/", "/SECRET/", "/api/state", "//secret/"]
)
def test_wrong_token_finds_nothing(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.text == "not found"


def test_address_without_its_last_slash_leads_to_the_page(client):
    answer = client.get("/secret")
    assert (answer.status_code, answer.headers["location"]) == (308, "/secret/")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:4321", ""]
)
def test_another_host_is_refused_even_with_the_token(client, host):
    assert client.get("/secret/", headers={"host": host}).status_code == 403


def test_localhost_is_this_machine_too(client):
    assert client.get("/secret/", headers={"host": "localhost:4321"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:4321"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_site_can_neither_ask_nor_send(client, method, origin):
    assert client.request(method, "/secret/", headers={"origin": origin}).status_code == 403


def test_the_page_itself_can_send(client):
    assert client.post("/secret/", headers={"origin": "http://127.0.0.1:4321"}).status_code == 200
    assert client.post("/secret/").status_code == 200


def test_another_site_cannot_read_data_but_may_link_here(client):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/secret/api/state", headers=headers).status_code == 403
    assert client.get("/secret/", headers={**headers, "sec-fetch-mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("path", ["/secret/", "/wrong/"])
def test_answers_forbid_everything_foreign(client, path):
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers


def test_local_notebooks_may_frame_the_page_when_it_was_opened_in_one():
    guarded = Guard(Starlette(), token="secret", port=4321, is_in_notebook=True)
    answer = TestClient(guarded, base_url="http://127.0.0.1:4321").get("/secret/")
    assert (
        "frame-ancestors http://127.0.0.1:* http://localhost:*" in answer.headers["content-security-policy"]
    )


def test_too_large_a_request_is_refused_in_a_sentence(client):
    answer = client.post("/secret/", content=b"x" * (MAX_REQUEST_BYTES + 1))
    assert answer.status_code == 400
    assert "48 MB" in answer.json()["error"]


def test_body_that_hides_its_length_is_refused_too():
    app = make_app(Library([]))
    client = TestClient(Guard(app, token="secret", port=4321), base_url="http://127.0.0.1:4321")
    pieces = (b"x" * 2**20 for _ in range(MAX_REQUEST_BYTES // 2**20 + 2))
    answer = client.post("/secret/api/models/none/preview", content=pieces)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    "path",
    ["../guard.py", "..%2fguard.py", "%2e%2e/guard.py", "assets/../../guard.py", "..\\guard.py", "%00"],
)
def test_paths_lead_to_no_file_outside_the_built_page(path, tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("<p>the page</p>", encoding="utf-8")
    (tmp_path / "guard.py").write_text("secret code", encoding="utf-8")
    app = make_app(Library([]), static_folder=tmp_path / "static")
    client = TestClient(Guard(app, token="secret", port=4321), base_url="http://127.0.0.1:4321")
    assert client.get("/secret/").text == "<p>the page</p>"
    answer = client.get(f"/secret/{path}")
    assert answer.status_code == 404
    assert "secret code" not in answer.text


def test_page_that_is_not_built_says_how_to_build_it(tmp_path):
    app = make_app(Library([]), static_folder=tmp_path)
    client = TestClient(Guard(app, token="secret", port=4321), base_url="http://127.0.0.1:4321")
    answer = client.get("/secret/")
    assert answer.status_code == 503
    assert "make page" in answer.text
