"""Runs queries on rows in memory: one request a line on standard input, one answer a line on standard output.

{"scene": NAME, "tables": {TABLE: {"columns": {COLUMN: TYPE}, "rows": [...]}}}     makes a database
{"scene": NAME, "functions": [DEFINITION], "now": TIME, "query": KQL}              {"columns": [...], "rows": [{...}]}

What fails answers {"error": TEXT, "unsupported": whether the engine lacks something that the query has}.
"""

import datetime
import functools
import json
import os
import sys
import tempfile

import duckdb_kql
import duckdb_kql.engine

TYPES = {
    "string": "VARCHAR",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
}
# Kusto's strings are never null.
ABSENT = {"string": ""}

scenes = {}


def name(identifier):
    return '"' + identifier.replace('"', '""') + '"'


def make_scene(request):
    connection = duckdb_kql.connect()
    connection.execute("SET TimeZone='UTC'")
    statements = []
    files = []
    try:
        for table, content in request["tables"].items():
            columns = content["columns"]
            statements.append(f"CREATE TABLE {name(table)} ({', '.join(f'{name(c)} {TYPES[t]}' for c, t in columns.items())})")
            if not content["rows"]:
                continue
            with tempfile.NamedTemporaryFile("w", suffix=".ndjson", delete=False) as file:
                files.append(file.name)
                for row in content["rows"]:
                    unknown = row.keys() - columns.keys()
                    if unknown:
                        raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
                    cells = {c: row.get(c) if row.get(c) is not None else ABSENT.get(t) for c, t in columns.items()}
                    file.write(json.dumps(cells) + "\n")
            types = ", ".join(f"{name(c)}: '{TYPES[t]}'" for c, t in columns.items())
            statements.append(
                f"INSERT INTO {name(table)} SELECT {', '.join(map(name, columns))} FROM read_json('{file.name}', "
                f"format = 'newline_delimited', maximum_object_size = 33554432, columns = {{{types}}})"
            )
        connection.execute("; ".join(statements))
    finally:
        for file in files:
            os.unlink(file)
    scenes[request["scene"]] = (connection, frozenset(request["tables"]))
    return {}


@functools.cache
def translated(query, functions, now, tables):
    """SQL and its parameters. `tables` decides which legs of a fuzzy union there are; a connection that has them is at hand."""
    use_functions(functions)
    connection = next(one for one, its in scenes.values() if its == tables)
    answer = duckdb_kql.to_sql(query, schema=duckdb_kql.engine.schema(connection), query_now=now)
    return str(answer), answer.parameters


@functools.lru_cache(maxsize=1)
def use_functions(functions):
    duckdb_kql.set_functions(list(functions))


def cell(value, kind):
    if value is None:
        return "" if kind == "VARCHAR" else None
    if kind == "JSON":
        return json.loads(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return value


def run(request):
    connection, tables = scenes[request["scene"]]
    sql, parameters = translated(request["query"], tuple(request["functions"]), request["now"], tables)
    answer = connection.execute(sql, parameters) if parameters else connection.execute(sql)
    columns = [column[0] for column in answer.description]
    kinds = [str(column[1]) for column in answer.description]
    rows = [dict(zip(columns, map(cell, row, kinds))) for row in answer.fetchall()]
    return {"columns": columns, "rows": rows}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = make_scene(request) if "tables" in request else run(request)
    except duckdb_kql.KqlUnsupportedError as error:
        answer = {"error": str(error), "unsupported": True}
    except Exception as error:  # whatever a query does to the engine is its answer
        answer = {"error": f"{type(error).__name__}: {error}", "unsupported": False}
    print(json.dumps(answer, default=str), flush=True)
