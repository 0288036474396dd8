"""Evidence, custody log and exports, hashed and checked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mailforensics import export
from mailforensics.case.custody import CustodyLog
from mailforensics.case.registry import EvidenceRegistry
from mailforensics.case.settings import Settings
from mailforensics.evidence import EvidenceItem, verify
from mailforensics.ingest import CaseFolder, Progress, Report

__all__ = ["Verification"]


class Verification:
    """Compares what lies on disk now with what was noted."""

    def __init__(self, folder: CaseFolder, registry: EvidenceRegistry, settings: Settings) -> None:
        self.folder = folder
        self.registry = registry
        self.settings = settings

    def evidence(self, report: Report | None = None) -> pd.DataFrame:
        """Hash all evidence again: evidence_id, name, unchanged, detail."""
        rows = [self._item(item, report) for item in self.registry.items()]
        return pd.DataFrame(rows, columns=["evidence_id", "name", "unchanged", "detail"])

    def _item(self, item: EvidenceItem, report: Report | None) -> dict[str, Any]:
        done = 0

        def advance(size: int) -> None:
            nonlocal done
            done += size
            if report is not None:
                report(Progress("verify", item.name, done, item.size))

        found = verify(item, self.registry.listed(item.evidence_id), advance=advance)
        detail = "; ".join(f"{each.path} {each.what}".strip() for each in found[:20])
        if len(found) > 20:
            detail += f"; and {len(found) - 20:,} more"
        return {
            "evidence_id": item.evidence_id,
            "name": item.name,
            "unchanged": not found,
            "detail": detail or "SHA-256 as acquired",
        }

    def everything(self, report: Report | None = None) -> pd.DataFrame:
        """Check evidence, custody log and exports.

        Returns
        -------
        DataFrame
            ``subject``, ``status`` (``pass`` or ``fail``), ``detail``.
        """
        rows = [*self._evidence_rows(report), *self._custody_rows(), *self._export_rows()]
        return pd.DataFrame(rows, columns=["subject", "status", "detail"])

    def _evidence_rows(self, report: Report | None) -> Iterator[dict[str, str]]:
        for row in self.evidence(report).to_dict("records"):
            yield {
                "subject": f"Evidence {row['evidence_id']} {row['name']}",
                "status": "pass" if row["unchanged"] else "fail",
                "detail": row["detail"],
            }

    def _custody_rows(self) -> Iterator[dict[str, str]]:
        head = (self.settings.custody_rows, self.settings.custody_head)
        faults = CustodyLog(self.folder.custody).verify(head)
        for fault in faults:
            yield {
                "subject": "Custody log",
                "status": "fail",
                "detail": f"Row {fault.row}: {fault.what}",
            }
        if not faults:
            detail = f"{head[0]} rows, each chained to the one before"
            yield {"subject": "Custody log", "status": "pass", "detail": detail}

    def _export_rows(self) -> Iterator[dict[str, str]]:
        noted = {
            row["detail"]["folder"]: row["detail"].get("manifest_sha256")
            for row in CustodyLog(self.folder.custody).rows()
            if row.get("action") == "messages exported"
        }
        for folder, digest in noted.items():
            yield from self._export_folder(Path(folder), digest)

    def _export_folder(self, folder: Path, digest: str | None) -> Iterator[dict[str, str]]:
        subject = f"Export {folder.name}"
        if not folder.is_dir():
            yield {"subject": subject, "status": "fail", "detail": f"{folder} is gone"}
            return
        results = export.verify_export(folder, manifest_sha256=digest)
        bad = results[results["status"] != "ok"]
        for row in bad.to_dict("records"):
            yield {
                "subject": subject,
                "status": "fail",
                "detail": f"{row['file']}: {row['status']}",
            }
        if bad.empty:
            detail = f"{len(results):,} files as written"
            yield {"subject": subject, "status": "pass", "detail": detail}
