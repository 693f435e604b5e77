"""What `--list` shows: the named queries and the views."""

from __future__ import annotations

from vp.query import catalogue


def listing(name: str | None = None) -> str:
    """Every named query in a line and every view in a line; or all there is to say of one query."""
    if name is not None:
        return described(catalogue.find(name))
    queries = catalogue.load().values()
    width = max(len(query.name) for query in queries)
    lines = ["named queries (--list NAME tells more):"]
    lines += [f"  {query.name:<{width}}  {query.purpose}" for query in queries]
    lines += [f"  {name:<{width}}  cannot be used: {reason}" for name, reason in catalogue.broken().items()]
    lines += ["", "views, for --sql:"]
    lines += [f"  {view:<{width}}  {meaning}" for view, meaning in catalogue.VIEWS.items()]
    return "\n".join(lines) + "\n"


def described(query: catalogue.NamedQuery) -> str:
    """Purpose, grain, parameters, columns and example of a query."""
    lines = [f"{query.name}: {query.purpose}", f"  grain: {query.grain}", f"  reads: {', '.join(query.reads)}"]
    for parameter in query.parameters:
        default = "" if parameter.default is None else f", default {parameter.default}"
        lines.append(f"  --set {parameter.name}=... ({parameter.type}{default}): {parameter.meaning}")
    width = max(len(name) for name, _, _ in query.columns)
    kind_width = max(len(kind) for _, kind, _ in query.columns)
    lines.append("  columns:")
    lines += [f"    {name:<{width}}  {kind:<{kind_width}}  {meaning}" for name, kind, meaning in query.columns]
    lines.append(f"  example: {query.example}")
    return "\n".join(lines) + "\n"
