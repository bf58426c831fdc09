"""`openbook new FOLDER --from RUN`: a project of one's own that needs no openbook."""

from pathlib import Path
from typing import Annotated

import typer

from openbook.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(new)


def new(
    folder: Annotated[Path, typer.Argument(help="Folder of the project; made here.")],
    run: Annotated[str, typer.Option("--from", metavar="RUN", help="A run by name or path; `last`.")],
    as_json: JsonOption = False,
) -> None:
    """Start a project of your own from a run: plain Keras scripts with its data, settings and score.

    Runs of every recipe can become one. Its scripts need no openbook; its README says how to go on from there.

    Example: openbook new my-digits --from last
    """
    from openbook.projects.starting import start_project
    from openbook.runs import find_run

    found = find_run(run)
    project = start_project(found, folder)
    if as_json:
        print_json(
            {
                "folder": str(project.folder.resolve()),
                "run": str(found.path),
                "recipe": found.recipe,
                "files": list(project.files),
                "data": project.data,
                "score": dict(found.section("score")),
            }
        )
        return
    print(f"wrote {folder}: {', '.join(project.files)}; its data is {project.data}")
    print(f"It reads what {found.name} was trained on, with the same sides of the split (checked).")
    print(
        f"Go on with: cd {folder} && pip install -r requirements.txt && python evaluate.py && python train.py"
    )
