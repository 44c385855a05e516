"""The subcommands: one row each here, and a module of that name, which is imported when its command is called."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from yuki_builder.errors import ConfigError

SUMMARIES = {
    "review": "Check a finished corpus in the browser.",
    "evaluate": "Compare the names with a person's labels.",
    "export": "Write a finished corpus in the formats of other tools.",
    "models": "List, download and check the models.",
}
SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
Out = Annotated[Path, typer.Option(metavar="DIR", help="The output folder of the run.")]


class Subcommands(TyperGroup):
    """The main command with its subcommands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the help."""
        return list(SUMMARIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in SUMMARIES:
            return None
        return typer.main.get_command(importlib.import_module(f"pipelines.console.{cmd_name}").app)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments begin with. One that needs arguments and has none shows its help.

        Raises:
            ConfigError: there is no such command.
        """
        name, *rest = args
        command = self.get_command(ctx, name)
        if command is None:
            near = difflib.get_close_matches(name, SUMMARIES, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"a video goes behind --video; commands: {_listed()}"
            raise ConfigError("there is no such command", where=name, remedy=remedy)
        needs_arguments = isinstance(command, TyperGroup) or any(parameter.required for parameter in command.params)
        return name, command, ["--help"] if needs_arguments and not rest else rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Their summaries, from the table: the modules need not be imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _listed() -> str:
    return ", ".join(SUMMARIES)
