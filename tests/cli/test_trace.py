"""`preview --trace` and `transform --trace`: text and JSON, values only with `--values`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import NIR, STORES, Tiny, in_process, tiny_map


def test_preview_traces_one_record(tiny: Callable[..., Tiny]) -> None:
    folder = tiny().folder
    done = in_process("preview", folder, "--row", "1", "--trace")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert lines[1].split()[:3] == ["enter", "group", "tiny"]
    assert "tiny.map:12:3" not in lines[0] and any("tiny.map:" in line for line in lines)
    assert lines[-1] == "sendable"
    assert NIR not in done.out and "DURAND" not in done.out
    shown = in_process("preview", folder, "--row", "1", "--trace", "--values")
    assert f"v = {NIR}" in shown.out and "DURAND" in shown.out


def test_as_json(tiny: Callable[..., Tiny]) -> None:
    folder = tiny().folder
    done = in_process("preview", folder, "--row", "1", "--trace", "--json")
    assert NIR not in done.out and "DURAND" not in done.out
    found = json.loads(done.out)
    assert (found["verdict"], found["trace"]["status"]) == ("sendable", "completed")
    first = found["trace"]["events"][0]
    assert (first["phase"], first["depth"], first["kind"], first["position"]) == (
        "enter",
        0,
        "group",
        "StructureMap.group[0]",
    )
    assert [entry["contextType"] for entry in first["variables"]] == ["input", "output"]
    shown = in_process("preview", folder, "--row", "1", "--trace", "--values", "--json").out
    assert NIR in shown


def test_a_trace_is_of_one_record(tiny: Callable[..., Tiny]) -> None:
    folder = tiny().folder
    assert in_process("preview", folder, "--trace").code == 2
    assert in_process("preview", folder, "--row", "1", "--values").code == 2
    in_process("preview", folder, "--row", "none", "--trace").reported("FM745", 2)


def test_transform_writes_a_trace(tmp_path: Path) -> None:
    (tmp_path / "t.map").write_text(tiny_map(STORES["json"]), encoding="utf-8")
    (tmp_path / "in.json").write_text(json.dumps({"id": "1", "nir": NIR}), encoding="utf-8")
    plain = in_process("transform", tmp_path / "t.map", tmp_path / "in.json")
    done = in_process("transform", tmp_path / "t.map", tmp_path / "in.json", "--trace", "-")
    assert done.out == plain.out
    assert "exit   group tiny" in done.err and NIR not in done.err
    out = tmp_path / "trace.json"
    in_process("transform", tmp_path / "t.map", tmp_path / "in.json", "--trace", out, "--values")
    assert NIR in out.read_text(encoding="utf-8")
    assert json.loads(out.read_text(encoding="utf-8"))["events"][-1]["phase"] == "exit"
