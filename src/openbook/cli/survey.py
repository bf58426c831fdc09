"""`openbook survey FILE…`: which libraries people use, from the Kaggle surveys, for those who matter."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from openbook.survey import Result, Survey

_EXAMPLES = """Which libraries, languages and tools people use, from the Kaggle surveys of 2017 to 2022.

\b
Examples:

  openbook survey kaggle_survey_2021_responses.csv.zip

  openbook survey *.csv --country US --country Canada --min-coding-years 1 --min-ml-years 1 --exclude-students

  openbook survey 2021.zip --question ide --by role

  openbook survey 2021.zip --questions
"""
# An interval of 95 % needs so many columns of the terminal: "70.7–71.9".
_CELL_WIDTH = 10
_ANSWER_WIDTH = 20
_CSV_COLUMNS = (
    "year",
    "group",
    "question",
    "answer",
    "count",
    "num_answered",
    "num_respondents",
    "share",
    "low",
    "high",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(help=_EXAMPLES)(survey)


def survey(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="CSVs or zips as Kaggle serves them, or a folder with them."),
    ] = None,
    year: Annotated[
        list[int] | None, typer.Option(help="Only these years; several by giving it again.")
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(help="Only these countries, by name or code; several by commas or by giving it again."),
    ] = None,
    min_coding_years: Annotated[
        float | None, typer.Option(min=0, help="Only who has written code for so long at least.")
    ] = None,
    min_ml_years: Annotated[
        float | None, typer.Option(min=0, help="Only who has used machine learning for so long at least.")
    ] = None,
    exclude_students: Annotated[
        bool, typer.Option("--exclude-students", help="Leave out who studies.")
    ] = False,
    role: Annotated[
        list[str] | None, typer.Option(help='Only these job titles, such as "data scientist".')
    ] = None,
    question: Annotated[
        str, typer.Option(help="frameworks, languages, ide … or a column; see --questions.")
    ] = "frameworks",
    questions: Annotated[bool, typer.Option("--questions", help="List the questions of the files.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="country|role|year", help="What to tell the answers apart by.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the files with kagglehub; --year says which.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the picture; survey-QUESTION.png when left out."),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A line for each share, as CSV, on standard output.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Which libraries people use, from the Kaggle surveys."""
    from openbook.survey import Selection, analyse, read_surveys
    from openbook.survey.analysis import check_grouping
    from openbook.survey.picture import check_picture_path, draw_shares

    check_grouping(by)
    if as_csv and as_json:
        raise UsageError("--csv and --json are two forms of the same. Leave one of them out")
    target = Path(f"survey-{question.lower()}.png") if picture is None else picture
    check_picture_path(target)
    paths = _paths(files or [], years=year or [], download=download, questions=questions, as_csv=as_csv)
    surveys = read_surveys(paths, years=year or (), say=_say) if paths else []
    if questions:
        _show_questions(surveys, as_json=as_json)
        return
    results = analyse(
        surveys,
        question=question,
        selection=Selection(
            countries=tuple(country or ()),
            roles=tuple(role or ()),
            min_coding_years=min_coding_years,
            min_ml_years=min_ml_years,
            exclude_students=exclude_students,
        ),
        by=by,
        say=_say,
    )
    draw_shares(results, target)
    if as_json:
        print_json(_as_dict(results, by, target))
    elif as_csv:
        _print_csv(results)
    else:
        _show(results, target)


def _paths(
    files: Sequence[Path], *, years: Sequence[int], download: bool, questions: bool, as_csv: bool
) -> list[Path]:
    if download:
        from openbook.survey.download import download_surveys

        return [*files, *download_surveys(years, say=_say)]
    if not files and not questions:
        raise UsageError(
            "expected a file of the survey, got none. Give a CSV or zip as Kaggle serves it, or fetch them: "
            "openbook survey --download --year 2021"
        )
    if as_csv and len(files) > 1 and files[-1].suffix.lower() == ".csv" and not files[-1].exists():
        raise UsageError(
            f"{files[-1]}: there is no such file. --csv takes no name; it prints, so write: … --csv > {files[-1]}"
        )
    return list(files)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _as_dict(results: Sequence[Result], by: str | None, picture: Path) -> dict[str, Any]:
    """One result as it is; several as a list, with what they have in common above."""
    place = {"picture": str(picture.resolve())}
    if len(results) == 1 and not results[0].group:
        return {**results[0].to_dict(), **place}
    return {
        "question": results[0].question.name,
        "by": by or "year",
        "years": sorted({result.year for result in results}),
        "results": [result.to_dict() for result in results],
        **place,
    }


def _print_csv(results: Sequence[Result]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for result in results:
        for each in result.shares:
            low, high = each.interval
            writer.writerow(
                [
                    result.year,
                    result.group,
                    result.question.name,
                    each.answer,
                    each.count,
                    each.num_answered,
                    result.num_respondents,
                    f"{each.share:.6f}",
                    f"{low:.6f}",
                    f"{high:.6f}",
                ]
            )


def _show_questions(surveys: Sequence[Survey], *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from openbook.survey.layouts import named_questions
    from openbook.survey.questions import all_questions

    if as_json:
        print_json(
            {
                "named": {
                    name: {"title": each.title, "columns": {str(year): c for year, c in each.columns.items()}}
                    for name, each in named_questions().items()
                },
                "files": [
                    {
                        "year": survey.year,
                        "file": survey.origin,
                        "questions": [
                            {
                                "name": each.name,
                                "column": each.begins,
                                "text": each.text,
                                "several": each.is_several,
                            }
                            for each in all_questions(survey)
                        ],
                    }
                    for survey in surveys
                ],
            }
        )
        return
    console = Console(highlight=False)
    if not surveys:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("question", "about", "years"):
            table.add_column(heading, overflow="fold")
        for name, named in named_questions().items():
            table.add_row(Text(name, "bold"), named.title, ", ".join(map(str, sorted(named.columns))))
        console.print(table)
        return
    for survey in surveys:
        console.print(Text(f"\n{survey.year}", "bold"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("question", "column", "asks for"):
            table.add_column(heading, overflow="fold")
        for each in all_questions(survey):
            column = "" if each.name == each.begins else each.begins
            table.add_row(Text(each.name, "bold" if column else ""), column, Text(each.text or each.title))
        console.print(table)


def _show(results: Sequence[Result], picture: Path) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    question = results[0].question
    console.print(Text(f"\n{question.title}", "bold"))
    if question.text:
        console.print(Text(question.text, "dim"))
    for year in sorted({result.year for result in results}):
        _show_who(console, [result for result in results if result.year == year])
    if len(results) == 1 and not results[0].group:
        _show_shares(console, results[0])
    elif any(result.group for result in results):
        for year in sorted({result.year for result in results}):
            _show_columns(console, [result for result in results if result.year == year], heading="group")
    else:
        _show_columns(console, results, heading="year")
    console.print(Text(f"The picture: {picture}"))


def _show_who(console: Console, results: Sequence[Result]) -> None:
    """Who is counted in one year, and what each filter removed."""
    from rich.text import Text

    first = results[0]
    selected = first.selected
    filters = "".join(f"; {step}" for step in selected.steps)
    total = selected.rows.height
    answered = f", {first.num_answered:,} answered" if not first.group else ""
    counted = f"; {total:,} are counted" if selected.steps else ""
    console.print(Text(f"{first.year}: {selected.num_in_file:,} respondents{filters}{counted}{answered}."))
    if first.question.note:
        console.print(Text(f"In {first.year} the survey {first.question.note}.", "yellow"))


def _show_shares(console: Console, result: Result) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("answer", overflow="fold")
    for heading in ("share", "95 % interval", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in result.shares:
        low, high = each.interval
        table.add_row(
            Text(each.answer),
            f"{100 * each.share:.1f} %",
            f"{100 * low:.1f} – {100 * high:.1f}",
            f"{each.count:,}",
        )
    console.print(table)


def _show_columns(console: Console, results: Sequence[Result], *, heading: str) -> None:
    """A column for each year or group, as many beside each other as the terminal has room for."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from openbook.survey.picture import leading_answers

    answers = leading_answers(results, 1000)
    room = max(1, (console.width - min(_ANSWER_WIDTH, console.width // 3)) // (_CELL_WIDTH + 2))
    shown = results if heading == "year" else results[:6]
    for start in range(0, len(shown), room):
        part = shown[start : start + room]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("answer, %", overflow="fold")
        for result in part:
            name = str(result.year) if heading == "year" else result.group
            table.add_column(Text(name), justify="right", overflow="fold", max_width=2 * _CELL_WIDTH)
        for answer in answers:
            table.add_row(Text(answer), *(_cell(result, answer) for result in part))
        table.add_section()
        table.add_row("answered", *(f"{result.num_answered:,}" for result in part))
        console.print(table)
    if len(shown) < len(results):
        console.print(
            Text(
                f"The {len(shown)} largest of {len(results)} groups; all of them with --json or --csv.", "dim"
            )
        )
    console.print(
        Text("Below each share its 95 % interval; – : not among the answers to choose from.", "dim")
    )


def _cell(result: Result, answer: str) -> Any:
    from rich.text import Text

    if not result.offers(answer):
        return Text("0.0" if result.group else "–", "dim")
    each = result.share_of(answer)
    low, high = each.interval
    return Text.assemble(f"{100 * each.share:.1f}", (f"\n{100 * low:.1f}–{100 * high:.1f}", "dim"))
