"""The same steps without a notebook."""

from __future__ import annotations

import functools
import shutil
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pandas as pd
from tqdm import tqdm

import mailforensics
from mailforensics import Case, lab, new_case, open_case, sample
from mailforensics.errors import ExportError, MailForensicsError
from mailforensics.export import FORMS
from mailforensics.ingest import Progress

__all__ = ["main"]

FINDING_COLUMNS = (
    "item_id",
    "deletion_state",
    "can_come_back",
    "sent_at",
    "from_addr",
    "subject",
    "deleted_at",
    "deleted_by",
)


evidence_path = click.Path(path_type=Path, readable=False)
"""A path that may turn out to be missing or locked: that is said for each, and the rest goes on."""


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Show an error of ours as one message and end with its exit code."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MailForensicsError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            click.echo(f"Error: a file cannot be read or written: {error}", err=True)
            sys.exit(1)

    return run


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Show progress on the error stream while a step runs."""
    words = {"hash": "Hashing", "prepare": "Looking", "read": "Reading", "verify": "Verifying"}
    bar = tqdm(unit="B", unit_scale=True, disable=None, leave=False, file=sys.stderr)

    def report(progress: Progress) -> None:
        bar.set_description(f"{words.get(progress.step, progress.step)} {progress.what[-40:]}")
        bar.total = progress.total or None
        bar.n = progress.done
        bar.refresh()

    try:
        yield report
    finally:
        bar.close()


def show(frame: pd.DataFrame) -> None:
    """Print a frame as a table that is never cut in rows."""
    if frame.empty:
        return
    with pd.option_context("display.width", 200, "display.max_colwidth", 60):
        click.echo(frame.to_string(index=False, na_rep=""))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mailforensics.__version__)
def main() -> None:
    """Find, check and give back deleted mail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


case_argument = click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))


@main.command()
@case_argument
@click.option("--name", default="", help="What the case is called.")
@click.option("--examiner", default="", help="Who examines it.")
@click.option("--time-zone", default="UTC", show_default=True, help="Such as Asia/Shanghai.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@plainly
def new(folder: Path, **settings: str) -> None:
    """Make an empty case."""
    case = new_case(folder, **settings)
    click.echo(f"Case {case.settings.name} is in {case.folder.root}")


@main.command()
@case_argument
@click.argument("paths", nargs=-1, required=True, type=evidence_path)
@click.option("--custodian", default="", help="Whose mail it is.")
@click.option("--mailbox", default="", help="Which mailbox.")
@click.option("--as-of", default=None, help="The moment whose state a copy shows (ISO 8601).")
@click.option("--supersedes", default=None, help="Id of the earlier copy that this one follows.")
@click.option("--note", default="")
@click.option("--reader", default=None, help="Use this reader whatever the content looks like.")
@plainly
def add(folder: Path, paths: tuple[Path, ...], as_of: str | None, **options: Any) -> None:
    """Acquire evidence: recognise it, hash it, enter it into the case."""
    case = open_case(folder)
    sys.exit(add_all(case, paths, as_of=moment(as_of, case), **options))


def moment(text: str | None, case: Case) -> datetime | None:
    """Return a moment in UTC; without an offset it is in the case's time zone."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text} is no date; write 2026-11-09 or 2026-11-09T02:00+08:00"
        ) from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=case.settings.zone)
    return when.astimezone(UTC)


def add_all(case: Case, paths: tuple[Path, ...], **options: Any) -> int:
    """Add each path, with a line for each; return the exit code of the last that failed."""
    code = 0
    for path in paths:
        try:
            with progress_bar() as report:
                item = case.add(path, report=report, **options)
        except MailForensicsError as error:
            click.echo(f"{path}: not added. {error}", err=True)
            code = error.exit_code
            continue
        click.echo(f"{item.evidence_id}  {item.description}  {item.size:,} bytes  {path}")
        click.echo(f"     SHA-256 {item.sha256}")
    return code


@main.command()
@case_argument
@click.option("--again", is_flag=True, help="Read everything anew.")
@click.option("--workers", type=int, default=None, help="Processes to read with.")
@plainly
def read(folder: Path, *, again: bool, workers: int | None) -> None:
    """Read the evidence into tables; goes on where it was stopped."""
    case = open_case(folder)
    sys.exit(read_all(case, again=again, workers=workers))


def read_all(case: Case, **options: Any) -> int:
    """Read, print the balance and the faults; return 5 when something failed."""
    with progress_bar() as report:
        reads = case.read(report=report, **options)
    sources = reads[reads["row_kind"] == "source"]
    totals = {
        name: int(sources[name].fillna(0).sum())
        for name in ("declared", "read", "failed", "skipped")
    }
    click.echo(
        "Declared {declared:,} = read {read:,} + failed {failed:,} + skipped {skipped:,}".format(
            **totals
        )
    )
    faults = reads[reads["row_kind"] == "failed"]
    show(faults[["evidence_id", "source_path", "source_ref", "reason"]])
    return 5 if totals["failed"] else 0


@main.command()
@case_argument
@click.option("--limit", default=50, show_default=True, help="Rows to print; 0 for all.")
@click.option("--csv", "target", type=click.Path(path_type=Path), help="Write all rows to a file.")
@plainly
def deleted(folder: Path, limit: int, target: Path | None) -> None:
    """Show the deleted messages."""
    case = open_case(folder)
    frame = case.deleted()
    click.echo(case.headline())
    if target is not None:
        new_file(target)
        frame.to_csv(target, index=False, encoding="utf-8-sig")
        click.echo(f"{len(frame):,} rows are in {target}")
        return
    shown = frame if limit == 0 else frame.head(limit)
    show(shown[list(FINDING_COLUMNS)])
    if len(shown) < len(frame):
        click.echo(f"… and {len(frame) - len(shown):,} more; --limit 0 prints all.")


def new_file(path: Path) -> None:
    """Refuse to write over a file."""
    if path.exists():
        raise mailforensics.errors.WouldOverwrite(
            f"{path} is there already.", hint="Choose another name; nothing is overwritten."
        )


@main.command()
@case_argument
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=20, show_default=True)
@plainly
def search(folder: Path, words: tuple[str, ...], limit: int) -> None:
    """Find messages by words, names, addresses, dates and states."""
    frame = open_case(folder).search(" ".join(words), limit=limit)
    click.echo(f"{len(frame):,} messages")
    show(frame[["item_id", "deletion_state", "sent_at", "from_addr", "subject", "surroundings"]])


@main.command()
@case_argument
@click.option("--keys", type=click.Path(path_type=Path), help="File of DKIM keys of the case.")
@plainly
def check(folder: Path, keys: Path | None) -> None:
    """Check that what was found is genuine and complete."""
    results = open_case(folder).check(keys=keys)
    summary = results[results["item_id"].isna()]
    show(summary[["check", "status", "summary"]])


@main.command()
@case_argument
@click.option("--csv", "csv_path", type=click.Path(path_type=Path), help="Timesketch CSV.")
@click.option("--jsonl", "jsonl_path", type=click.Path(path_type=Path), help="Timesketch JSONL.")
@plainly
def timeline(folder: Path, csv_path: Path | None, jsonl_path: Path | None) -> None:
    """Write the timeline, or print its last rows."""
    frame = open_case(folder).timeline()
    if csv_path is not None:
        mailforensics.timeline.write_csv(frame, csv_path)
    if jsonl_path is not None:
        mailforensics.timeline.write_jsonl(frame, jsonl_path)
    click.echo(f"{len(frame):,} moments")
    if csv_path is None and jsonl_path is None:
        show(frame.tail(40)[["datetime", "timestamp_desc", "message"]])


@main.command()
@case_argument
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--form", type=click.Choice(FORMS), default="eml", show_default=True)
@click.option("--all-copies", is_flag=True, help="Every copy of a message, not the best alone.")
@plainly
def export(folder: Path, target: Path, form: str, *, all_copies: bool) -> None:
    """Give the deleted messages back as files with a manifest."""
    case = open_case(folder)
    sys.exit(export_all(case, target.absolute(), form=form, all_copies=all_copies))


def export_all(case: Case, target: Path, *, form: str, all_copies: bool = False) -> int:
    """Export the deleted messages and print the counts; return 6 when one failed."""
    chosen = case.deleted() if all_copies else case.gone()
    result = case.export(chosen, target, form=form)
    click.echo(
        f"{result.written:,} written, {result.skipped:,} have no bytes, "
        f"{result.failed:,} failed; {result.folder}"
    )
    return ExportError.exit_code if result.failed else 0


def export_pst(case: Case, target: Path) -> int:
    """Export the deleted messages as one Outlook file and put a copy at ``target``."""
    new_file(target)
    name = case.free_export_name()
    code = export_all(case, case.folder.exports / name, form="pst")
    for made in (case.folder.exports / name).rglob("*.pst"):
        shutil.copyfile(made, target)
        click.echo(f"The Outlook file is {target}")
    return code


@main.command()
@case_argument
@plainly
def verify(folder: Path) -> None:
    """Hash evidence and exports again and check the custody log."""
    with progress_bar() as report:
        frame = open_case(folder).verify(report)
    show(frame)
    sys.exit(4 if (frame["status"] == "fail").any() else 0)


@main.command()
@case_argument
@click.option("--to", "target", type=click.Path(path_type=Path), help="File to write.")
@plainly
def report(folder: Path, target: Path | None) -> None:
    """Write the report."""
    path = open_case(folder).report(target.absolute() if target else None)
    click.echo(f"The report is {path}")


@main.command()
@click.argument("paths", nargs=-1, required=True, type=evidence_path)
@click.option("--case", "folder", required=True, type=click.Path(path_type=Path))
@click.option("--custodian", default="")
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--form", type=click.Choice(FORMS), default="eml", show_default=True)
@click.option("--pst", type=click.Path(path_type=Path), help="Also as an Outlook file, new.")
@plainly
def recover(
    paths: tuple[Path, ...],
    folder: Path,
    *,
    time_zone: str,
    form: str,
    pst: Path | None,
    **whose: str,
) -> None:
    """Do it all in one go: acquire, read, find, check, export, report."""
    fresh = not (folder / "case.json").exists()
    case = new_case(folder, time_zone=time_zone) if fresh else open_case(folder)
    code = add_all(case, paths, **whose)
    if not case.items():
        sys.exit(code or 1)
    code = read_all(case) or code
    click.echo(case.headline())
    case.check()
    code = export_all(case, case.folder.exports / case.free_export_name(), form=form) or code
    if pst is not None:
        code = export_pst(case, pst.absolute()) or code
    click.echo(f"The report is {case.report()}")
    sys.exit(code)


@main.command(name="lab")
@click.argument("folder", metavar="[CASE]", required=False, type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(["en", "zh"]), default=None)
@click.option("--browser/--no-browser", default=None, help="Open a browser window.")
@plainly
def lab_command(folder: Path | None, language: str | None, *, browser: bool | None) -> None:
    """Open the notebooks; without CASE in a fresh copy of the sample case."""
    root = sample.fresh_case(Path.cwd() / "cases") if folder is None else folder.absolute()
    chosen = language or open_case(root).settings.language
    pages = lab.copy_notebooks(root)
    page = pages / ("zh" if chosen == "zh" and (pages / "zh").is_dir() else ".") / lab.START_PAGE
    with lab.run_lab(root.parent, page, language=chosen) as server:
        lab.wait_until_up(server)
        click.echo(f"The notebooks are open at\n\n    {server.address}\n\nCtrl+C ends them.")
        if browser or (browser is None and lab.has_desktop()):
            webbrowser.open(server.address)
        try:
            while server.process.poll() is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            click.echo("Ending.")


@main.command()
@click.option("--case", "folder", type=click.Path(path_type=Path), help="Keep the case here.")
@plainly
def demo(folder: Path | None) -> None:
    """Do the main job over the sample incident and compare with what is true."""
    sys.exit(sample.demo(folder, echo=click.echo))
