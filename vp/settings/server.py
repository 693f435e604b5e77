"""Options of the server: where it listens, whom it lets in, and how much it does."""

from __future__ import annotations

from vp.settings.forms import context_minutes, count, origin, port, stream_server, switch, text
from vp.settings.setting import SERVE, Setting

SERVER_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "context_minutes",
        "--context-minutes",
        10.0,
        context_minutes,
        "MINUTES",
        "How much of the time before the start a paced session shows as history, at most a frame a second; 0 to 30.",
        "30",
        SERVE,
    ),
    Setting("port", "--port", 8002, port, "PORT", "Port to listen on; 0 takes any free one.", "8002", SERVE),
    Setting(
        "host",
        "--host",
        "127.0.0.1",
        text,
        "ADDRESS",
        "Address to listen on. Only this machine can reach 127.0.0.1; any other address lets the network in, "
        "and nothing asks who is there.",
        "127.0.0.1",
        SERVE,
    ),
    Setting(
        "allow_origin",
        "--allow-origin",
        (),
        origin,
        "ORIGIN",
        "Web site whose pages may use this server besides its own page; give it once for each. Behind a proxy, the "
        "site that people see.",
        "https://trade.example",
        SERVE,
        repeated=True,
    ),
    Setting(
        "max_viewers", "--max-viewers", 500, count, "COUNT", "Most viewers at a time; more are told so.", "50", SERVE
    ),
    Setting(
        "max_sessions",
        "--max-sessions",
        8,
        count,
        "COUNT",
        "Most sessions at work at a time, runs at speed 0 included.",
        "4",
        SERVE,
    ),
    Setting(
        "enable_query",
        "--enable-query",
        False,
        switch,
        "",
        "Answer SQL over the lake at /v1/vacuum-pressure/query: read-only, with limits of time, memory and rows.",
        "yes",
        SERVE,
    ),
    Setting(
        "upstream",
        "--upstream",
        None,
        stream_server,
        "URL",
        "Another server, ws:// or wss://, whose sessions are handed on to viewers of this one: one connection there "
        "for each session, however many watch it here.",
        "ws://origin.example:8002",
        SERVE,
    ),
)
