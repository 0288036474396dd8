from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mailforensics"

ROOMS = [
    "_version", "errors", "schema", "evidence", "images", "mime", "mapi", "pst", "carving",
    "readers", "search", "ingest", "deletion", "comparison", "checks", "timeline", "fonts",
    "charts", "export", "case", "lab", "sample", "notebook", "cli", "__main__",
]  # fmt: skip
SAME_LEVEL = {frozenset({"deletion", "comparison"}), frozenset({"fonts", "charts"})}
FRAMES_ONLY = {"deletion", "comparison", "checks", "timeline", "charts"}
FREE_OF_PANDAS = {"pst", "carving", "mime", "mapi", "readers", "ingest", "evidence", "images"}


def rank(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions, each by name: the order of the linter."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_share" not in path.parts)


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_used(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in imports_of(path)
        if name.startswith("mailforensics.") and name.split(".")[1] in ROOMS
    }


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_to_its_left(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in ROOMS, f"{room} has no place in the order of rooms"
    for other in rooms_used(path) - {room}:
        if frozenset({room, other}) not in SAME_LEVEL:
            assert ROOMS.index(other) < ROOMS.index(room), f"{room} imports {other}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_who_may_import_what(path: Path) -> None:
    room, used, names = room_of(path), rooms_used(path), imports_of(path)
    if room in FRAMES_ONLY:
        assert not used & {"readers", "case", "ingest"}
    if room in FREE_OF_PANDAS:
        assert not any(name.split(".")[0] == "pandas" for name in names)
    if room in {"pst", "carving"}:
        assert not used & ({"pst", "carving", "case"} - {room})
    if room != "notebook":
        assert not any(name.split(".")[0] == "ipywidgets" for name in names)
    assert "notebook" not in used - {room} or room == "notebook"
    assert "cli" not in used - {room} or room == "__main__"
    assert not any(name.split(".")[0] in {"pickle", "shelve", "marshal"} for name in names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module says what it is"
