"""What the page asks about models: state, examples, runs, and new traces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbook import __version__
from openbook.errors import UsageError
from openbook.page.answers import NoSuchThing, StrictJson, plain
from openbook.page.inputs.reading import Json
from openbook.page.jobs import Job, event_stream, job_events
from openbook.page.programs import Report
from openbook.page.run_info import run_events, run_info
from openbook.page.subject import Subject
from openbook.page.traces import Library, read_input


def model_routes(library: Library) -> list[Route]:
    """The routes under `api/` that begin with a model, and the state."""

    def state(request: Request) -> Response:
        return StrictJson(state_json(library))

    async def traces(request: Request) -> Response:
        return await job(request, library.make)

    async def draws(request: Request) -> Response:
        return await job(request, library.draw)

    async def job(request: Request, work: Callable[[str, Any, Report], Json]) -> Response:
        model_id = request.path_params["model"]
        library.subject(model_id)
        asked = await _body(request)
        return event_stream(job_events(Job(lambda report: work(model_id, asked, report))))

    def lenses(request: Request) -> Response:
        return StrictJson(library.lenses(request.path_params["model"]))

    async def lens(request: Request) -> Response:
        name = request.path_params["lens"]
        return await job(
            request, lambda model_id, asked, report: library.look_through(model_id, name, asked, report)
        )

    async def preview(request: Request) -> Response:
        subject = library.subject(request.path_params["model"])
        asked = await _body(request)
        read, _ = await run_in_threadpool(read_input, subject, asked.get("input"))
        return StrictJson(read.preview)

    def examples(request: Request) -> Response:
        subject = library.subject(request.path_params["model"])
        return StrictJson([{"id": example.id, **example.shown} for example in subject.examples])

    def run(request: Request) -> Response:
        return StrictJson(run_info(_run_of(library, request)))

    def events(request: Request) -> Response:
        found = _run_of(library, request)
        stream: AsyncIterator[bytes] = run_events(found)
        return event_stream(stream)

    model = "/models/{model}"
    return [
        Route("/state", state),
        Route(f"{model}/traces", traces, methods=["POST"]),
        Route(f"{model}/draws", draws, methods=["POST"]),
        Route(f"{model}/lenses", lenses),
        Route(f"{model}/lenses/{{lens}}", lens, methods=["POST"]),
        Route(f"{model}/preview", preview, methods=["POST"]),
        Route(f"{model}/examples", examples),
        Route(f"{model}/run", run),
        Route(f"{model}/run/events", events),
    ]


def state_json(library: Library) -> Json:
    """`State` of docs/page-protocol.md."""
    models = [_model_info(library, model_id, subject) for model_id, subject in library.subjects.items()]
    return {"version": __version__, "models": models}


def _model_info(library: Library, model_id: str, subject: Subject) -> Json:
    return {
        "id": model_id,
        "title": subject.title,
        "kind": subject.kind,
        "recipe": subject.recipe,
        "num_parameters": int(subject.model.count_params()),
        "input": plain(subject.reader.spec()),
        "can_step": subject.training is not None,
        "has_run": subject.run is not None,
        "has_examples": bool(subject.examples),
        "has_lenses": subject.lens_source is not None,
        "can_draw": subject.draw is not None,
        "checkpoints": [
            {"id": each.id, "label": each.label, "step": each.step} for each in subject.checkpoints()
        ],
        "story": library.story(model_id),
    }


def _run_of(library: Library, request: Request) -> Any:
    subject = library.subject(request.path_params["model"])
    if subject.run is None:
        raise NoSuchThing(f"{subject.title} is no run, so there is nothing known about its training.")
    return subject.run


async def _body(request: Request) -> Json:
    try:
        content = await request.json()
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is no JSON") from error
    if not isinstance(content, dict):
        raise UsageError("the request is no JSON object")
    return content
