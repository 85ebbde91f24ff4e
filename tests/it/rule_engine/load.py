"""Runs a sample program of the source document as it stands, but for the ids and the port that it cannot know."""
import sys

path, user, group, port = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    program = file.read()
for before, after in [
    ("'user': 42", f"'user': {user}"),
    ("'group': 23", f"'group': {group}"),
    ("web.run_app(app)", f"web.run_app(app, host='127.0.0.1', port={port})"),
]:
    assert before in program, before
    program = program.replace(before, after)
exec(compile(program, path, "exec"), {"__name__": "__main__"})
