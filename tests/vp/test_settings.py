from __future__ import annotations

import subprocess
import sys

import pytest

from vp import settings
from vp.errors import BadParameterError
from vp.settings import SETTINGS, Setting, of_program, of_query

MODULES = {"serve": "vp.serve", "record": "vp.record", "query": "vp.query.__main__"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_explains_itself(setting: Setting) -> None:
    assert setting.flag == "--" + setting.name.replace("_", "-")
    assert setting.help.endswith(".")
    assert bool(setting.unit) is (setting.type is not settings.switch)
    assert setting.type(setting.name, setting.example) is not None
    assert set(setting.programs) <= {"serve", "record", "query", "cache"}


def test_which_program_takes_what() -> None:
    assert [setting.flag for setting in of_program("serve")] == [
        *("--product-type", "--symbol", "--dt", "--start-time", "--speed", "--throttle-ms"),
        *(
            "--port",
            "--host",
            "--allow-origin",
            "--max-viewers",
            "--max-sessions",
            "--enable-query",
            "--lake",
            "--decompressed-limit-gb",
            "--log-level",
            "--log-format",
        ),
    ]
    assert [setting.flag for setting in of_program("record")] == [
        *("--product-type", "--symbol", "--dt", "--start-time", "--end-time", "--throttle-ms"),
        *("--fields", "--out", "--lake", "--decompressed-limit-gb", "--log-level"),
    ]
    assert [setting.flag for setting in of_program("cache")] == ["--lake", "--clear", "--log-level"]
    assert [setting.flag for setting in of_program("query")] == [
        *("--product-type", "--symbol", "--dt", "--start-time", "--sql", "--list", "--set", "--recording"),
        *("--build", "--format", "--out", "--lake", "--log-level"),
    ]
    assert [setting.name for setting in of_query()] == [
        *("product_type", "symbol", "dt", "start_time", "speed", "throttle_ms", "fields", "after"),
    ]


def test_the_defaults_that_are_promised() -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    assert (defaults["port"], defaults["host"]) == (8002, "127.0.0.1")
    assert (defaults["speed"], defaults["throttle_ms"]) == (1.0, 25.0)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf", "1e400", "", "ten", "0x10"])
def test_a_number_out_of_range_is_refused(value: str) -> None:
    for parse, name in ((settings.speed, "speed"), (settings.throttle_ms, "throttle_ms")):
        with pytest.raises(BadParameterError) as caught:
            parse(name, value)
        assert repr(value) in caught.value.message
        assert name in caught.value.hint


@pytest.mark.parametrize("value", ["-1", "65536", "80.5", "http", ""])
def test_a_port_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        settings.port("port", value)
    assert "65535" in caught.value.message


def test_values() -> None:
    assert settings.speed("speed", "2") == 2.0
    assert str(settings.speed("speed", "-0")) == "0.0"
    assert len(settings.quoted("9" * 500)) < 80
    assert settings.port("port", "0") == 0
    assert settings.text("symbol", "  ES ") == "ES"
    assert settings.text("symbol", "  ") is None
    assert settings.field_list("fields", "a, b,,c ") == ("a", "b", "c")
    assert settings.field_list("fields", " ,") is None
    assert settings.log_level("log_level", "DEBUG") == "debug"
    with pytest.raises(BadParameterError, match="debug, info"):
        settings.log_level("log_level", "loud")


def test_the_docs_table_has_a_row_for_each_option() -> None:
    table = settings.markdown("serve")
    assert table.count("\n") == 2 + len(of_program("serve"))
    assert "| `--port PORT` | `8002` |" in table


@pytest.mark.parametrize("program", ["serve", "record", "query"])
def test_help_explains_every_option_and_loads_nothing_heavy(program: str) -> None:
    source = (
        f"import importlib, sys\nmodule = importlib.import_module('{MODULES[program]}')\n"
        "try:\n    module.main(['--help'])\n"
        "finally:\n"
        "    heavy = {'numpy', 'numba', 'pyarrow', 'duckdb', 'starlette', 'uvicorn', 'tqdm', 'asyncio'}\n"
        "    heavy &= set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    said = "".join(ended.stdout.split())  # lines are cut after hyphens too
    for setting in of_program(program):
        if setting.type is settings.switch:
            assert f"{setting.flag}{setting.help}".replace(" ", "") in said
            continue
        assert f"{setting.flag}{setting.unit}" in said
        assert f"Example:{setting.flag}{setting.example}".replace(" ", "") in said
