"""`openbook profile`: this machine's speeds as a small file: shown, exported, imported, compared."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.errors import UsageError

if typing.TYPE_CHECKING:
    from openbook.forecasting.machine_profile import MachineProfile

_HELP = """How fast this machine is, as the forecast sees it. Measured once, in less than ten seconds, and kept.

\b
Examples:

  openbook profile                          # this machine

  openbook profile export my-laptop.json    # take it to another machine …

  openbook profile import my-laptop.json    # … and there:

  openbook forecast text-generator --on my-laptop
"""
NameOption = Annotated[
    str | None, typer.Option(help="What to call the machine; the file's name when left out.")
]


def register(app: typer.Typer) -> None:
    """Add the command and its sub-commands."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None, help=_HELP)
    group.callback()(show)
    group.command("export")(export)
    group.command("import")(import_file)
    group.command("list")(list_all)
    app.add_typer(group, name="profile")


def show(
    context: typer.Context,
    measure: Annotated[bool, typer.Option("--measure", help="Measure anew.")] = False,
    on: Annotated[
        str | None, typer.Option(metavar="MACHINE", help="Another machine, by name or file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the speeds of this machine, or of another."""
    if context.invoked_subcommand is not None:
        return
    if on is not None and measure:
        raise UsageError("--measure measures this machine. Leave --on out")
    profile = _here(anew=measure) if on is None else _named(on)
    if as_json:
        import json

        print_json(json.loads(profile.to_json()))
        return
    from rich.console import Console
    from rich.table import Table

    from openbook.runs.readable import readable_size

    console = Console(highlight=False)
    origin = (
        f"measured {profile.created}"
        if profile.is_measured
        else f"published figures, not measured. {profile.source}"
    )
    console.print(f"{profile.name}: {', '.join(map(str, _facts(profile)))}", markup=False)
    console.print(origin, markup=False, style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for label, text in (
        ("products, float32", _fastest(profile, "float32")),
        ("products, bfloat16", _fastest(profile, "bfloat16")),
        (
            "convolutions",
            f"{max((s.gflops for s in profile.convolutions), default=0.0):,.0f} GFLOP/s at best",
        ),
        ("memory", f"{profile.memory_gb_per_s:.1f} GB/s, {readable_size(profile.memory_bytes)}"),
        ("element-wise", f"{profile.element_gops:,.0f} × 10⁹ operations/s"),
        ("exponentials", f"{profile.transcendental_gops:,.2f} × 10⁹/s"),
        ("each step", f"{1e3 * profile.step_overhead_s:.2f} ms beside the computing"),
        ("compiling", f"{1e3 * profile.compile_s:.2f} ms an operation"),
        ("disk", f"{profile.disk_gb_per_s:.2f} GB/s written"),
    ):
        table.add_row(label, text)
    console.print(table)


def export(file: Annotated[Path, typer.Argument(help="The file to write.")], name: NameOption = None) -> None:
    """Write this machine's profile to a file, for a forecast on another machine."""
    import dataclasses

    profile = dataclasses.replace(_here(), name=name or file.stem)
    try:
        profile.save(file)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written ({error.strerror or error}). Choose another file"
        ) from error
    print(f"Written to {file}. On the other machine: openbook profile import {file.name}")


def import_file(
    file: Annotated[Path, typer.Argument(help="A file written by `openbook profile export`.")],
    name: NameOption = None,
) -> None:
    """Keep the profile of another machine, for `openbook forecast … --on NAME`."""
    from openbook.forecasting.profiles import import_profile
    from openbook.recipes.recipe_forecast import profiles_folder

    profile = import_profile(file, profiles_folder(), name=name)
    print(f"Known as {profile.name} from now on. Try: openbook forecast text-generator --on {profile.name}")


def list_all(as_json: JsonOption = False) -> None:
    """List the machines that a forecast can be made for."""
    from openbook.forecasting.profiles import imported_names, reference_devices
    from openbook.recipes.recipe_forecast import profiles_folder

    imported, devices = imported_names(profiles_folder()), reference_devices()
    if as_json:
        print_json({"imported": imported, "published": devices})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("name", "machine", "figures"):
        table.add_column(heading, overflow="fold")
    for name in imported:
        try:
            facts = ", ".join(map(str, _facts(_named(name))))
        except UsageError:
            facts = "its file is damaged; import it again"
        table.add_row(name, facts, "measured there")
    for name, figures in devices.items():
        table.add_row(name, figures["label"], "published, not measured")
    Console(highlight=False).print(table)


def _here(*, anew: bool = False) -> MachineProfile:
    from openbook.cli.train import reporting
    from openbook.forecasting.profiles import profile_here
    from openbook.recipes.backend import prepare_backend
    from openbook.recipes.recipe_forecast import profiles_folder
    from openbook.relaunch import relaunch_with_malloc_settings

    relaunch_with_malloc_settings()
    prepare_backend()
    with reporting(quiet=False) as reporter:
        return profile_here(profiles_folder(), say=reporter.message, anew=anew)


def _named(name: str) -> MachineProfile:
    from openbook.forecasting.profiles import named_profile
    from openbook.recipes.recipe_forecast import profiles_folder

    return named_profile(name, profiles_folder())


def _facts(profile: MachineProfile) -> list[Any]:
    identity = profile.identity
    if "device" in identity:
        return [identity["device"]]
    devices = [device for device in identity.get("devices", []) if device != "cpu"]
    return [*devices, identity.get("processor", "processor"), f"{identity.get('num_cores', '?')} cores"]


def _fastest(profile: MachineProfile, dtype: str) -> str:
    speeds = [speed.gflops for speed in profile.products if speed.dtype == dtype]
    return (
        f"{max(speeds):,.0f} GFLOP/s at best, {min(speeds):,.0f} for small ones"
        if len(speeds) > 1
        else (f"{speeds[0]:,.0f} GFLOP/s" if speeds else "not known")
    )
