"""The flags of the command line, made from the table of options in ``config.py``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pipelines.config import ROWS, Row

_TYPES: dict[str, type] = {"str": str, "Path": str, "int": int, "float": float, "bool": bool}


def takes_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take every option of the table, in place of its parameter ``options``.

    What was not given is left out of the dictionary that it gets.
    """

    def command(**given: Any) -> Any:
        options = {row.name: given.pop(row.name) for row in _FLAGS}
        said = {name: value for name, value in options.items() if value is not None}
        return function(**given, options=said)

    own = inspect.signature(function, eval_str=True).parameters
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.items():
        parameters += [_parameter(row) for row in _FLAGS] if name == "options" else [parameter]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


_FLAGS = tuple(row for row in ROWS if row.name != "video")


def _parameter(row: Row) -> inspect.Parameter:
    flags = [f"{row.flag}/--no-{row.flag[2:]}"] if row.base == "bool" and row.name != "force" else [row.flag]
    option = typer.Option(*flags, metavar=row.option.metavar, help=_help(row))
    type_ = list[str] if row.is_repeatable else _TYPES[row.base]
    return inspect.Parameter(
        row.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[type_ | None, option], default=None
    )


def _help(row: Row) -> str:
    if row.default is None or row.default == () or row.name == "force":
        return row.option.help
    default = {True: "yes", False: "no"}[row.default] if row.base == "bool" else row.default
    return f"{row.option.help}  [default: {default}]"
