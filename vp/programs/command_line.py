"""What the command lines share: arguments from the settings table, errors as sentences, exit codes."""

from __future__ import annotations

import argparse
import atexit
import dataclasses
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from vp import logs
from vp.ending_signals import EXIT_CODE_BASE, end_without_last_words, ending_signals
from vp.errors import BadParameterError, VPError
from vp.files import FAILED_WRITES
from vp.programs.bytecode import begin_anew, keep_bytecode
from vp.settings.forms import switch
from vp.settings.table import of_program, shown

if TYPE_CHECKING:
    from vp.model.parameters import ModelParameters
    from vp.model.session import SessionSpec

EXIT_INTERRUPTED = EXIT_CODE_BASE + signal.SIGINT
EXIT_TERMINATED = EXIT_CODE_BASE + signal.SIGTERM
EXIT_UNEXPECTED = 70
SESSION_NAMES = ("product_type", "symbol", "dt")


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are errors like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise BadParameterError instead of printing the whole usage."""
        raise BadParameterError(f"{message[:1].upper()}{message[1:]}.", hint=f"`{self.prog} --help` lists the options.")


def parser(program: str, description: str, epilog: str) -> Parser:
    """The parser of a program; `{command}` in the epilog stands for the words that run it."""
    command = command_of(program, f"python -m vp.{program}")
    built = Parser(
        prog=command,
        description=description,
        epilog=epilog.replace("{command}", command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for setting in of_program(program):
        if setting.form is switch:
            built.add_argument(setting.flag, dest=setting.name, action="store_const", const="yes", help=setting.help)
            continue
        default = "" if setting.default in (None, {}, ()) else f" Default: {shown(setting.default)}."
        sentence = f"{setting.help}{default} Example: {setting.flag} {setting.example}"
        built.add_argument(
            setting.flag,
            dest=setting.name,
            metavar=setting.unit,
            help=sentence.replace("%", "%%"),
            action="append" if setting.repeated else "store",
        )
    return built


def command_of(program: str, otherwise: str) -> str:
    """The words that ran this program, for its help to repeat: `vp <program>`, where that was typed."""
    return f"vp {program}" if Path(sys.argv[0]).stem == "vp" else otherwise


def parse(built: Parser, program: str, arguments: Sequence[str] | None) -> dict[str, Any]:
    """The value of every setting of `program`, and of every argument that `built` has besides, by name.

    Raises
    ------
    BadParameterError
        An option that there is not, or a value of the wrong form.
    """
    given = vars(built.parse_intermixed_args(arguments))  # options may stand between files
    values: dict[str, Any] = dict(given)
    for setting in of_program(program):
        typed = given[setting.name]
        if typed is None:
            values[setting.name] = setting.default
        elif setting.repeated:
            values[setting.name] = tuple(setting.parse(one) for one in typed)
        else:
            values[setting.name] = setting.parse(typed)
    if values.get("trading_day"):
        from vp.market.session_hours import as_trading_day  # noqa: PLC0415 - --help is fast

        if values["dt"] is None:
            raise BadParameterError("--trading-day is given, but not which.", hint="For example --dt 2026-02-06.")
        values["dt"] = as_trading_day(values["dt"])
    return values


def refuse_beside(option: str, names: Iterable[str], values: Mapping[str, Any], hint: str) -> None:
    """Refuse what is given of some settings beside an option that leaves no choice about them.

    Raises
    ------
    BadParameterError
        One of them is given; `hint` says why it cannot be.
    """
    for name in names:
        if values[name]:
            raise BadParameterError(f"{option} and --{name.replace('_', '-')} cannot both be.", hint=hint)


def choose_session(values: dict[str, Any]) -> bool:
    """Put the demonstration session into `values` where no session is named; whether it was.

    What is left out of a session's name and the lake leaves no choice about is put in too, and said on stderr.

    Raises
    ------
    BadParameterError
        A session that is named in part, where there is a choice about the rest.
    VPError
        The lake, or the file that is played, cannot be used.
    """
    missing = [name for name in SESSION_NAMES if values[name] is None]
    if not missing:
        return False
    if len(missing) == len(SESSION_NAMES) and values["file"] is None:
        from vp.demo.session import DEMO  # noqa: PLC0415 - heavy, and not needed for --help

        values.update(product_type=DEMO.product_type, symbol=DEMO.symbol, dt=DEMO.dt)
        values["start_time"] = values["start_time"] or DEMO.start_time
        return True
    from vp.dbn.opened_lake import open_lake  # noqa: PLC0415
    from vp.lake.choice import choose  # noqa: PLC0415

    lake = open_lake(values["lake"], values["products"], values["file"])
    choice = choose(lake, *(values[name] for name in SESSION_NAMES))
    values.update(product_type=choice.product_type, symbol=choice.symbol, dt=choice.dt)
    say(f"chosen: {', '.join(choice.found)}")
    return False


def model_parameters(values: dict[str, Any]) -> ModelParameters:
    """The set that --parameters names; raises BadParameterError."""
    from vp.model.parameter_texts import read_parameters  # noqa: PLC0415 - heavy, and not needed for --help

    return read_parameters(values["parameters"] or "default")


def session_spec(values: dict[str, Any], parameters: ModelParameters) -> SessionSpec:
    """The session that options name, under a set of parameters; what a program has no option for is as by default."""
    from vp.model.session import SessionSpec  # noqa: PLC0415 - heavy, and not needed for --help

    named = {one.name: values[one.name] for one in dataclasses.fields(SessionSpec) if one.name in values}
    return SessionSpec(**(named | {"parameters": parameters}))


def run(program: Callable[[Sequence[str] | None], int], arguments: Sequence[str] | None) -> int:
    """Run a program; whatever goes wrong becomes one or two lines on stderr and an exit code."""
    ended_by = [number for number in ending_signals() if number is not signal.SIGINT]  # which is KeyboardInterrupt
    previous = {number: signal.signal(number, _terminated) for number in ended_by}
    sys.stdout = sys.stdout or _nowhere()  # started with it closed
    sys.stderr = sys.stderr or _nowhere()
    keep_bytecode()
    last_words = sys.unraisablehook
    gc.disable()  # a start makes objects that stay: looking for garbage among them is a fifth of its time
    atexit.register(_spare_the_end)
    try:
        return program(arguments)
    except VPError as error:
        say(f"error: {error.message}")
        if error.hint:
            say(f"hint: {error.hint}")
        _show_cause()
        return error.exit_code
    except KeyboardInterrupt:
        end_without_last_words()
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stdout = _nowhere()  # nothing is left to flush to
        return EXIT_TERMINATED
    except OSError as error:
        if error.errno not in FAILED_WRITES:
            return _unexpected(error)
        sys.stdout = _nowhere()  # what could not be flushed would be tried again
        say(f"error: What was to be written could not be: {error.strerror}.")
        say("hint: Make room, or have it written elsewhere.")
        _show_cause()
        return VPError.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort of a program for people
        begin_anew(error)
        return _unexpected(error)
    finally:
        if sys.exc_info()[0] is None:  # the process may go on
            sys.unraisablehook = last_words
        gc.unfreeze()
        gc.enable()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _nowhere() -> TextIO:
    """An output that takes what nobody can be shown."""
    return open(os.devnull, "w")  # noqa: PTH123 - open until the process ends


def _unexpected(error: Exception) -> int:
    say(f"error: unexpected {type(error).__name__}: {error}")
    say("hint: this is a fault of the program; run it with --log-level debug and report what it shows.")
    _show_cause()
    return EXIT_UNEXPECTED


def _spare_the_end() -> None:
    """Let the process end without looking for garbage among all that it made, which takes a third of a second.

    DuckDB's module takes what has not been collected for leaked, and says so.
    """
    if "duckdb" not in sys.modules:
        gc.freeze()


def started() -> None:
    """Let garbage be collected from now on; what has been made until here stays, and is never gone through."""
    gc.freeze()
    gc.enable()


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"{logs.printable(line)}\n")
    sys.stderr.flush()


def show(line: str) -> None:
    """One line on stdout; names of files may hold anything."""
    print(logs.printable(line))


def counted(count: int, noun: str) -> str:
    """How many there are in words, as `1 file` or `2,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def configure_logging(level: str, form: str = "text") -> None:
    """Log to stderr, as vp.logs.configure."""
    logs.configure(level, form)


def _show_cause() -> None:
    if logging.getLogger("vp").isEnabledFor(logging.DEBUG):
        traceback.print_exc()


def _terminated(signal_number: int, _frame: FrameType | None) -> NoReturn:
    end_without_last_words()
    raise SystemExit(EXIT_CODE_BASE + signal_number)  # unwinds, so that half-written files go
