from __future__ import annotations

import subprocess
import sys

import pytest

from vp.errors import BadParameterError, quoted
from vp.settings import forms
from vp.settings.setting import Setting
from vp.settings.table import SETTINGS, of_program, of_query

MODULES = {"serve": "vp.serve", "record": "vp.record", "query": "vp.query.__main__", "study": "vp.study.__main__"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_explains_itself(setting: Setting) -> None:
    assert setting.flag == "--" + setting.name.replace("_", "-")
    assert setting.help.endswith(".")
    assert bool(setting.unit) is (setting.form is not forms.switch)
    assert setting.parse(setting.example) is not None
    assert set(setting.programs) <= {"serve", "record", "backfill", "query", "study", "cache", "lake", "capture"}


def test_which_program_takes_what() -> None:
    assert [setting.flag for setting in of_program("serve")] == [
        *(
            "--product-type",
            "--symbol",
            "--dt",
            "--trading-day",
            "--start-time",
            "--speed",
            "--throttle-ms",
            "--bucket",
        ),
        *(
            "--parameters",
            "--context-minutes",
            "--port",
            "--host",
            "--allow-origin",
            "--max-viewers",
            "--max-sessions",
            "--enable-query",
            "--upstream",
            "--lake",
            "--file",
            "--products",
            "--decompressed-limit-gb",
            "--cache-limit-gb",
            "--history-limit-gb",
            "--history-directory",
            "--live",
            "--dataset",
            "--live-from",
            "--gateway",
            "--log-level",
            "--log-format",
        ),
    ]
    assert [setting.flag for setting in of_program("record")] == [
        *("--product-type", "--symbol", "--dt", "--trading-day", "--start-time", "--end-time", "--throttle-ms"),
        *(
            "--bucket",
            "--parameters",
            "--fields",
            "--out",
            "--lake",
            "--file",
            "--products",
            "--decompressed-limit-gb",
            "--cache-limit-gb",
            "--log-level",
        ),
    ]
    assert [setting.flag for setting in of_program("backfill")] == [
        *("--start-time", "--end-time", "--throttle-ms", "--bucket", "--parameters", "--fields", "--symbols"),
        *("--start", "--end", "--out", "--workers", "--engine", "--address", "--memory-limit-gb"),
        *("--staging-directory", "--staging-limit-gb", "--then", "--lake"),
        *("--products", "--cache-limit-gb", "--dry-run", "--product-type", "--log-level"),
    ]
    assert [setting.flag for setting in of_program("cache")] == ["--lake", "--clear", "--log-level"]
    assert [setting.flag for setting in of_program("capture")] == [
        *("--lake", "--products", "--product-type", "--symbol", "--dataset", "--live-from", "--gateway", "--log-level"),
    ]
    assert [setting.flag for setting in of_program("lake")] == [
        *("--lake", "--products", "--link", "--copy", "--dry-run", "--log-level"),
    ]
    assert [setting.flag for setting in of_program("query")] == [
        *(
            "--product-type",
            "--symbol",
            "--dt",
            "--trading-day",
            "--start-time",
            "--bucket",
            "--sql",
            "--list",
            "--set",
            "--recording",
        ),
        *("--build", "--format", "--out", "--lake", "--file", "--products", "--log-level"),
    ]
    assert [setting.name for setting in of_query()] == [
        *(
            "product_type",
            "symbol",
            "dt",
            "trading_day",
            "start_time",
            "speed",
            "throttle_ms",
            "bucket",
            "parameters",
            "fields",
            "after",
            "alone",
            "held",
            "sparse",
        ),
    ]


def test_the_defaults_that_are_promised() -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    assert (defaults["port"], defaults["host"]) == (8002, "127.0.0.1")
    assert (defaults["speed"], defaults["throttle_ms"]) == (1.0, 25.0)


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf", "1e400", "", "ten", "0x10"])
def test_a_number_out_of_range_is_refused(value: str) -> None:
    for parse, name in ((forms.speed, "speed"), (forms.throttle_ms, "throttle_ms")):
        with pytest.raises(BadParameterError) as caught:
            parse(name, value)
        assert repr(value) in caught.value.message


@pytest.mark.parametrize("value", ["-1", "65536", "80.5", "http", ""])
def test_a_port_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        forms.port("port", value)
    assert "65535" in caught.value.message


def test_a_refusal_shows_a_value_that_works() -> None:
    by_name = {setting.name: setting for setting in SETTINGS}
    with pytest.raises(BadParameterError) as caught:
        by_name["speed"].parse("fast")
    assert caught.value.hint == "For example speed=2."
    with pytest.raises(BadParameterError) as caught:
        by_name["port"].parse("http")
    assert caught.value.hint == "For example --port 8002."


def test_values() -> None:
    assert forms.speed("speed", "2") == 2.0
    assert str(forms.speed("speed", "-0")) == "0.0"
    assert len(quoted("9" * 500)) < 80
    assert forms.port("port", "0") == 0
    assert forms.text("symbol", "  ES ") == "ES"
    assert forms.text("symbol", "  ") is None
    assert forms.context_minutes("context_minutes", "30") == 30.0
    with pytest.raises(BadParameterError, match="from 0 to 30"):
        forms.context_minutes("context_minutes", "30.5")
    assert forms.field_list("fields", "a, b,,c ") == ("a", "b", "c")
    assert forms.field_list("fields", " ,") is None
    assert forms.field_list("fields", " none ,") == ()
    with pytest.raises(BadParameterError, match="none stands for no grid column"):
        forms.field_list("fields", "none,pressure")
    assert forms.log_level("log_level", "DEBUG") == "debug"
    with pytest.raises(BadParameterError, match="debug, info"):
        forms.log_level("log_level", "loud")


@pytest.mark.parametrize("program", ["serve", "record", "query", "study"])
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
        if setting.form is forms.switch:
            assert f"{setting.flag}{setting.help}".replace(" ", "") in said
            continue
        assert f"{setting.flag}{setting.unit}" in said
        assert f"Example:{setting.flag}{setting.example}".replace(" ", "") in said
