"""One process that has everything loaded and forks a child for each program, so that none waits for imports."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.places import ROOT

PARENT = """
import json, os, sys, traceback
from pathlib import Path
exec(sys.argv[1])
for line in sys.stdin:
    children = []
    for said, program, *arguments in json.loads(line):
        child = os.fork()
        if child == 0:
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(1, 2)
            sys.argv[1:] = arguments
            code = 1
            try:
                exec(compile(program, "program", "exec"), {"__name__": "__main__"})
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children], flush=True)
"""


class Forks:
    """Runs programs in children of a process that has loaded what they need."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._commands, self._codes = process.stdin, process.stdout

    def start(self, *commands: tuple[Path, str, str]) -> None:
        """Run (file for what it prints, program, argument) at once."""
        self._commands.write(json.dumps([[str(said), *rest] for said, *rest in commands]) + "\n")
        self._commands.flush()

    def running(self) -> bool:
        """Whether one of those that were started still runs."""
        return not select.select([self._codes], [], [], 0)[0]

    def codes(self) -> list[int]:
        """Their exit codes, once all have ended; -9 for one that was killed."""
        assert select.select([self._codes], [], [], 100)[0], "no end after 100 s"
        found: Any = json.loads(self._codes.readline())
        return list(found)

    def run(self, said: Path, program: str, argument: str) -> tuple[int, str]:
        """Exit code and output of one program."""
        self.start((said, program, argument))
        (code,) = self.codes()
        return code, said.read_text()


@contextmanager
def forks(loaded: str) -> Iterator[Forks]:
    """The process, having run `loaded`, which must leave no thread behind."""
    command = [sys.executable, "-c", PARENT, loaded]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Forks(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(100)
