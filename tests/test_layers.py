"""The rooms import one way, streamlit stays in its room, and litellm behind its door."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("playground", "pages", "app")

LAYERS = (
    "lookalikes  records  errors  money  hit_threshold  runtime  templates  language  accept  bootstrap  sequential  paired",
    "anchored  drift  forgotten  remembered  sqlite_files  json_file  answer_file  lexical  replay_limits  bounded_replay  tour",
    "benchmark_scale  evidence_file  tokens  prices  prompt_caching  watch  middleware  recording  health  retry_budget  patience",
    "log_tickets  jobs  answer_store  semantic_index  embedded_rows  pipeline_file  pipeline  knowledge  tickets",
    "receipts  prompts  prompt_counts  catalog  checks  difficulty  proofs  cache  semantic_cache  cache_replay",
    "ability  evidence  options  batch_difficulty  embedders",
    "ladder  batch_costs",
    "reasons",
    "router",
    "batch_router  equivalents",
    "batch_prefixes  log_pricing  logs  safe_cells  expected_cost",
    "log_summary",
    "redact  stream  embedding_call  gateway  local  rehearsal  bounded",
    "loop  scoring  guardrails",
    "outage  scrub  worst_case  shadow  pairs  failover  suggestions",
    "shadow_job  outcomes  opinions  cut_over  second_opinion  ab  logged_outputs  caps",
    "guarded  labelled_texts  embedding_threshold  embedding_run",
    "bill  ticket_prefixes  levers  forecast",
    "runtime_cost  gate_money  cache_levels  log_forecast  tornado  ticket_month  lengths",
    "article  workshop  whatif  log_levers  prompt_cache_note  sample  cache_share  log_caching  ledger",
    "recorded  session_file  log_export  migration  customers",
    "log_json  digest",
    "charts",
    "report",
    "cli  __main__  ui",
    "pages  app",
)
"""From the ground up: a room imports from its own line and those above it. A package is one room."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(p): p for p in sorted([*ROOT.glob("playground/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"])}
ENGINE = [name for name in FILES if name.startswith("playground.") and name != "playground.__main__"]
"""All but the one module that runs a command when it is imported."""


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is named in an import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            assert node.module
            yield from (m if (m := f"{node.module}.{alias.name}") in FILES else node.module for alias in node.names)


def importing(package: str) -> set[str]:
    return {name for name in FILES if any(m.partition(".")[0] == package for m in imports(parsed(name)))}


def room_of(name: str) -> str:
    top, _, rest = name.partition(".")
    return rest.partition(".")[0] if top == "playground" else top


def layer_of(name: str) -> int:
    """The line of the table that a module stands on; the bare package is the ground under all."""
    found = [i for i, rooms in enumerate(LAYERS) if room_of(name) in rooms.split()]
    assert found or name == "playground", f"{name} has no layer yet: add it to LAYERS"
    return found[0] if found else -1


@cache
def graph() -> dict[str, set[str]]:
    return {name: {m for m in imports(parsed(name)) if m.partition(".")[0] in OURS} for name in FILES}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_every_room_stands_on_one_layer_and_every_layer_holds_rooms() -> None:
    rooms = [room for line in LAYERS for room in line.split()]
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == {room_of(name) for name in FILES if name != "playground"}


@pytest.mark.parametrize("name", FILES)
def test_imports_run_one_way(name: str) -> None:
    above = {m for m in graph()[name] if layer_of(m) > layer_of(name)}
    assert not above, f"{name} imports from a later layer: {sorted(above)}"


def test_no_module_imports_itself_by_a_detour() -> None:
    TopologicalSorter(graph()).prepare()


def test_streamlit_is_imported_under_ui_and_by_pages_only() -> None:
    inside = {name for name in importing("streamlit") if name.startswith("playground")}
    assert {room_of(name) for name in inside} == {"ui"}
    assert "playground.ui.runner" not in inside


def test_litellm_is_imported_inside_one_function_of_the_gateway() -> None:
    assert importing("litellm") == {"playground.gateway"}
    functions = [n for n in ast.walk(parsed("playground.gateway")) if isinstance(n, ast.FunctionDef)]
    assert [f.name for f in functions if "litellm" in imports(f)] == ["_litellm"]
    assert list(imports(parsed("playground.gateway"))).count("litellm") == 1


def test_importing_the_package_loads_nothing_heavy() -> None:
    done = python("import sys, playground; print({'litellm', 'streamlit', 'pandas'} & set(sys.modules))")
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_a_whole_rehearsal_loads_neither_litellm_nor_streamlit() -> None:
    code = """
import sys
from playground import loop, pipeline, tickets, workshop
agent = workshop.make_agent(workshop.make_router(pipeline.load_shipped("support")))
trace = loop.run_all(agent, next(iter(tickets.samples().values())), "kr-auto")
assert trace.provenance == "rehearsal" and trace.receipts
print({"litellm", "streamlit"} & set(sys.modules))
"""
    done = python(code)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_every_module_imports_on_its_own() -> None:
    """Line by line: what stands above is loaded and cannot come back to it, what stands on its own line is not."""
    code = """
import importlib, json, sys
for line in json.loads(sys.argv[1]):
    for name in line:
        for loaded in line:
            sys.modules.pop(loaded, None)
        try:
            importlib.import_module(name)
        except Exception as error:
            print(name, repr(error))
"""
    lines = [[name for name in ENGINE if layer_of(name) == i] for i in range(-1, len(LAYERS))]
    assert sum(map(len, lines)) == len(ENGINE)
    done = python(code, json.dumps(lines))
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_every_folder_with_modules_is_a_package_and_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    include = project["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {p.parent for name, p in FILES.items() if name.startswith("playground")}
    assert ROOT / "playground/rehearsal" in folders
    for folder in folders:
        assert (folder / "__init__.py").is_file()
        assert any(fnmatch(name_of(folder), pattern) for pattern in include)
