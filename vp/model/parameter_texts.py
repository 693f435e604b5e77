"""Sets of model parameters as people state them: a preset's name, name:value pairs, or a file of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from vp.errors import BadParameterError, quoted
from vp.model.parameters import PRESETS, ModelParameters

FILE_BYTES = 65_536
PAIRS = re.compile(r"[a-z_]{2,}\s*:(?![/\\])")  # of two letters or more: C:\ begins a path
TYPES = {field.name: int if field.type in (int, "int") else float for field in fields(ModelParameters)}
EXPECTED = {int: "a whole number", float: "a number"}


class _Stated(NamedTuple):
    """One value, and where it stands."""

    where: str
    name: str
    value: str


def parameters_of(text: str) -> ModelParameters:
    """The set that a text names: a preset, or `name:value` with commas between, the others being the default's.

    Raises
    ------
    BadParameterError
        No preset has the name; a parameter that there is not, one given twice, or a value of the wrong form.
    """
    if ":" not in text:
        return _preset(text.strip())
    stated = []
    for part in text.split(","):
        name, colon, value = part.partition(":")
        if not colon:
            raise BadParameterError(
                f"parameters has {quoted(part.strip())}, expected name:value.",
                hint="For example parameters=reach:1,tau_velocity_seconds:10; or a preset alone.",
            )
        stated.append(_Stated("parameters", name.strip(), value.strip()))
    return _parameters(stated)


def text_of(parameters: ModelParameters) -> str:
    """Every value of a set as `name:value` with commas between: what `parameters_of` makes the same set of."""
    return ",".join(f"{name}:{value!r}" for name, value in parameters.to_json().items())


def read_parameters(text: str) -> ModelParameters:
    """The set that a command line names: as `parameters_of`, or in a YAML file whose path `text` is.

    The file holds lines `name: value`; what it leaves out is the default's.

    Raises
    ------
    BadParameterError
        As `parameters_of`, with the file's name and line; or a file that cannot be read or understood.
    """
    if text.strip() in PRESETS or PAIRS.match(text.strip()):
        return parameters_of(text)
    path = Path(text)
    if not path.is_file():  # a pipe would be waited for
        raise BadParameterError(
            f"parameters was {quoted(text)}, expected a preset or the path of a file, and there is no such file.",
            hint=f"The presets are {', '.join(PRESETS)}.",
        )
    return _parameters(_in_file(path))


def _preset(name: str) -> ModelParameters:
    if name not in PRESETS:
        raise BadParameterError(
            f"parameters was {quoted(name)}, expected {' or '.join(PRESETS)}, or name:value with commas between.",
            hint=f"The model's parameters are {', '.join(TYPES)}.",
        )
    return ModelParameters.preset(name)


def _in_file(path: Path) -> list[_Stated]:
    import yaml  # noqa: PLC0415 - only a file needs it

    hint = "Expected lines name: value, such as tau_velocity_seconds: 10."
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise BadParameterError(f"{path} is longer than {FILE_BYTES:,} bytes, which no parameters take.", hint=hint)
        # The nodes instead of the values: they know their lines, and a name that occurs twice is seen.
        document = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError) as error:
        raise BadParameterError(f"{path} cannot be read as text: {error}.", hint=hint) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadParameterError(f"{path} is no valid YAML: {' '.join(str(error).split())}.", hint=hint) from error
    if not isinstance(document, yaml.MappingNode):
        raise BadParameterError(f"{path} holds no parameters.", hint=hint)
    stated = []
    for key, value in document.value:
        where = f"{path}, line {key.start_mark.line + 1}"
        for node in (key, value):
            if not isinstance(node, yaml.ScalarNode):
                raise BadParameterError(f"{where} has a collection, expected name: value.", hint=hint)
        stated.append(_Stated(where, key.value, value.value))
    return stated


def _parameters(stated: Iterable[_Stated]) -> ModelParameters:
    """The set with these values, each judged where it stands."""
    values: dict[str, Any] = {}
    for where, name, value in stated:
        if name not in TYPES:
            raise BadParameterError(
                f"{where} names {quoted(name)}, which is no parameter of the model.",
                hint=f"The model's parameters are {', '.join(TYPES)}.",
            )
        if name in values:
            raise BadParameterError(f"{where} gives {name} a second time.", hint="Give each parameter once.")
        try:
            values[name] = TYPES[name](value)
            ModelParameters(**{name: values[name]})
        except BadParameterError as error:
            raise BadParameterError(f"{where}: {error.message}", hint=error.hint or _example(name)) from None
        except ValueError:
            raise BadParameterError(
                f"{where} gives {name} the value {quoted(value)}, expected {EXPECTED[TYPES[name]]}.",
                hint=_example(name),
            ) from None
    return ModelParameters(**values)


def _example(name: str) -> str:
    return f"By default {name} is {getattr(ModelParameters(), name):g}."
