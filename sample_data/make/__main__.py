"""Write the sample incident: ``python -m sample_data.make [OUT]`` (default: this checkout)."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple, fields
from pathlib import Path

from sample_data.make import maildir, outlook, server_log, signing, stick, thunderbird, truth
from sample_data.make.fate import world
from sample_data.make.instances import LOG, OUTLOOK, STICK, THUNDERBIRD, Instance

__all__ = ["everything", "main"]


def everything() -> dict[str, bytes]:
    """Return all files that the script makes, by their path below ``sample_data``."""
    made = world()
    profile, found = thunderbird.profile(made)
    files = {f"evidence/{THUNDERBIRD}/{path}": data for path, data in profile.items()}
    for name, (data, copies) in maildir.both(made).items():
        files[f"evidence/{name}"] = data
        found += copies
    files[f"evidence/{STICK}"], on_stick = stick.stick(made)
    files[f"evidence/{LOG}"] = server_log.server_log(made)
    files[f"evidence/{OUTLOOK}"], archived = outlook.archive(made)
    copies = truth.instance_rows(made, [*found, *on_stick, *archived])
    listed = truth.rows(made, copies)
    files["truth.csv"] = truth.table(
        [field.name for field in fields(truth.Row)], map(astuple, listed)
    )
    files["instances.csv"] = _instances(
        copies, {row.message_id: row.truth_id for row in listed}, made
    )
    files["truth.json"] = truth.truth_json(listed, copies)
    files["case.json"] = truth.case_json()
    files["dkim-keys.json"] = _keys()
    return files


def _instances(copies: list[Instance], ids: dict[str, str], made: object) -> bytes:
    header = [
        "truth_id",
        "evidence_id",
        "evidence",
        "path",
        "place",
        "state",
        "completeness",
        "sha256",
        "size",
    ]
    messages = made.messages  # type: ignore[attr-defined]
    lines = []
    for entry in copies:
        message = messages.get(entry.key)
        lines.append(
            [
                ids[message.message_id] if message else entry.key,
                truth.EVIDENCE_IDS[entry.evidence],
                entry.evidence,
                entry.path,
                entry.place,
                entry.state,
                entry.completeness,
                entry.sha256,
                entry.size,
            ]
        )
    return truth.table(header, lines)


def _keys() -> bytes:
    key = {
        "domain": signing.DOMAIN,
        "selector": signing.SELECTOR,
        "txt": signing.key_record(),
        "first_seen": "2025-01-07",
        "source": "Sample key, made with the sample",
    }
    return (json.dumps([key], indent=2) + "\n").encode()


def main(folder: Path) -> None:
    """Write every file below a folder, and say how many."""
    files = everything()
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"{len(files)} files, {sum(map(len, files.values())):,} bytes below {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
