"""Reading an mbox of 1 GB into the tables, beside ``mailbox.mbox`` with ``email``.

Run ``python -m benchmarks.bench_mbox`` (or the file). The mailbox is made with a fixed seed below
the system's temporary folder and kept for the next run.

Both sides give the same columns: decoded headers, addresses, date in UTC, SHA-256 of the raw
bytes, attachments decoded with their SHA-256, and a key of the decoded body text. The standard
library reads a sample (``--full``: everything) with the faster of its policies, compat32, and its
time is scaled by bytes. Ours runs twice: for the same columns alone, and through
``mailforensics.ingest``, which builds the full-text index besides and can be resumed.

It prints medians of wall and processor time, the ratios (the bar is 5 for wall time, on two cores
that nothing else uses), and peak memory of all processes, pages
of the mapped mailbox apart (the bar is 1 GB).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ENGLISH = str.split(
    "contract invoice delivery Friday payment signed copy attached please regards meeting schedule "
    "draft revised customer order confirm quarter budget approval the of and to in for with from"
)
CHINESE = str.split(
    "合同 发票 付款 会议 订单 确认 附件 请查收 项目 报价 客户 交货 审批 预算 签字 版本 通知 安排 "
    "谢谢 您好"
)
SAMPLE = 100 << 20


# --- the mailbox ---------------------------------------------------------------------------------


def text_of(rng: random.Random, words: list[str], size: int, between: str) -> str:
    lines = []
    while size > 0:
        line = between.join(rng.choices(words, k=rng.randint(6, 14)))
        lines.append(line)
        size -= len(line.encode()) + 1
    return "\n".join(lines) + "\n"


def wrapped(data: bytes) -> bytes:
    return base64.encodebytes(data)


def body_of(rng: random.Random) -> tuple[bytes, bytes, str]:
    """Return headers of the body, the body, and the language."""
    size = int(rng.lognormvariate(7.2, 0.9))
    if rng.random() < 0.4:
        text = text_of(rng, CHINESE, size, "")
        charset = rng.choice(["utf-8", "utf-8", "gb2312", "gb18030"])
        head = f'Content-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: base64\n'
        return head.encode(), wrapped(text.encode(charset)), "zh"
    text = text_of(rng, ENGLISH, size, " ")
    if rng.random() < 0.5:
        head = b'Content-Type: text/plain; charset="us-ascii"\nContent-Transfer-Encoding: 7bit\n'
        return head, text.encode(), "en"
    mark = f"alt{rng.getrandbits(60):x}"
    html = "<html><body><p>" + text.replace("\n", "<br>=\n") + "</p></body></html>\n"
    body = (
        f'--{mark}\nContent-Type: text/plain; charset="utf-8"\n\n{text}\n--{mark}\n'
        f'Content-Type: text/html; charset="utf-8"\nContent-Transfer-Encoding: quoted-printable\n\n'
        f"{html}\n--{mark}--\n"
    )
    head = f'Content-Type: multipart/alternative; boundary="{mark}"\n'
    return head.encode(), body.encode(), "en"


def with_attachment(rng: random.Random, head: bytes, body: bytes) -> tuple[bytes, bytes]:
    mark = f"mix{rng.getrandbits(60):x}".encode()
    data = wrapped(rng.randbytes(int(rng.lognormvariate(10.18, 0.8))))
    name = rng.choice(["report.pdf", "=?utf-8?b?5ZCI5ZCMLmRvY3g=?=", "photo.jpg"]).encode()
    parts = (
        b'--%b\n%b\n%b\n--%b\nContent-Type: application/octet-stream; name="%b"\n'
        b'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="%b"\n\n'
        b"%b\n--%b--\n"
    ) % (mark, head, body, mark, name, name, data, mark)
    return b'Content-Type: multipart/mixed; boundary="%b"\n' % mark, parts


def servers_lines(rng: random.Random, sender: int) -> str:
    """Return what servers and programs of today add to the headers."""
    address = f"10.1.{rng.randint(0, 254)}.{rng.randint(1, 254)}"
    return (
        f"Delivered-To: u{rng.randint(1, 400)}@corp.example\n"
        f"Authentication-Results: mx.example.com;\n\tdkim=pass header.i=@corp.example;\n"
        f"\tspf=pass (example.com: {address} is permitted) smtp.mailfrom=u{sender}@corp.example;\n"
        f"\tdmarc=pass (p=NONE) header.from=corp.example\n"
        f"Received-SPF: pass (example.com: {address} is permitted) client-ip={address};\n"
        f"X-Originating-IP: [{address}]\nX-Spam-Status: No, score={rng.randint(-40, 20) / 10}\n"
        f"Thread-Topic: {rng.choice(ENGLISH)}\nThread-Index: {rng.getrandbits(160):x}\n"
        f"Accept-Language: zh-CN, en-US\nContent-Language: zh-CN\nX-MS-Has-Attach: \n"
    )


def message(rng: random.Random, number: int) -> bytes:
    """One message with the headers that servers leave, and a separating line before it."""
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(
        seconds=number * 1500 + rng.randint(0, 900)
    )
    head, body, language = body_of(rng)
    if rng.random() < 0.12:
        head, body = with_attachment(rng, head, body)
    words = CHINESE if language == "zh" else ENGLISH
    subject = ("" if language == "zh" else " ").join(rng.choices(words, k=rng.randint(3, 8)))
    if language == "zh":
        subject = Header(subject, "utf-8").encode(linesep="\n")
    date = moment.strftime("%a, %d %b %Y %H:%M:%S +0800")
    received = "".join(
        f"Received: from mx{hop}.example.com (mx{hop} [10.0.{hop}.{rng.randint(1, 254)}])\n"
        f"\tby mail{hop}.example.org with ESMTPS id {rng.getrandbits(48):x};\n\t{date}\n"
        for hop in range(rng.randint(2, 5))
    )
    sender = rng.randint(1, 400)
    people = ", ".join(
        f"User {n} <u{n}@corp.example>" for n in rng.choices(range(400), k=rng.randint(1, 4))
    )
    signature = base64.b64encode(rng.randbytes(128)).decode()
    lines = (
        f"From u{sender}@corp.example {moment:%a %b %d %H:%M:%S %Y}\n"
        f"Return-Path: <u{sender}@corp.example>\n"
        f"{received}DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corp.example; s=k1;\n"
        f"\th=from:to:subject:date; bh={signature[:44]};\n\tb={signature}\n"
        f"From: =?utf-8?b?5p2O5aic?= <u{sender}@corp.example>\nTo: {people}\nSubject: {subject}\n"
        f"Date: {date}\nMessage-ID: <{number}.{rng.getrandbits(64):x}@corp.example>\n"
        f"References: <{max(number - 3, 0)}.a@corp.example> <{max(number - 1, 0)}.b@corp.example>\n"
        f"X-Mailer: Example Mailer 7.1\n{servers_lines(rng, sender)}MIME-Version: 1.0\n"
    )
    return lines.encode() + head + b"\n" + body + b"\n"


def make(path: Path, size: int) -> Path:
    """Write a mailbox, unless it is there already; return it."""
    if path.is_file() and path.stat().st_size >= size:
        return path
    rng = random.Random(20261124)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as out:
        number = 0
        while out.tell() < size:
            out.write(message(rng, number))
            number += 1
    return partial.replace(path)


# --- the two jobs --------------------------------------------------------------------------------


def stdlib_rows(path: Path) -> Iterator[dict[str, object]]:
    import mailbox
    import re
    from email.header import decode_header, make_header
    from email.utils import getaddresses, mktime_tz, parsedate_tz

    def decoded(value: object) -> str:
        try:
            return str(make_header(decode_header(str(value or ""))))
        except (LookupError, UnicodeError, ValueError):
            return str(value)

    def text(part: object, data: bytes) -> str:
        charset = part.get_content_charset() or "utf-8"  # type: ignore[attr-defined]
        try:
            return data.decode(charset, "replace")
        except LookupError:
            return data.decode("latin-1")

    box = mailbox.mbox(path, create=False)
    for key in box.iterkeys():
        raw = box.get_bytes(key)
        mail = box.get_message(key)
        attachments, plain, html = [], "", ""
        for part in mail.walk():
            if part.is_multipart():
                continue
            data = part.get_payload(decode=True) or b""
            if part.get_filename():
                attachments.append(
                    (decoded(part.get_filename()), len(data), hashlib.sha256(data).hexdigest())
                )
            elif part.get_content_type() == "text/plain":
                plain = plain or text(part, data)
            elif part.get_content_type() == "text/html":
                html = html or text(part, data)
        body = plain or re.sub(r"<[^>]*>", " ", html)
        date = parsedate_tz(str(mail["date"]))
        yield {
            "message_id": str(mail["message-id"]),
            "subject": decoded(mail["subject"]),
            "from": getaddresses([decoded(mail["from"])])[0][1],
            "to": [pair[1] for pair in getaddresses(map(decoded, mail.get_all("to", [])))],
            "cc": [pair[1] for pair in getaddresses(map(decoded, mail.get_all("cc", [])))],
            "references": str(mail["references"] or "").split(),
            "sent_at": datetime.fromtimestamp(mktime_tz(date), UTC) if date else None,
            "size": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "key": hashlib.sha256(" ".join(body.split()).encode("utf-8", "replace")).hexdigest(),
            "attachments": json.dumps(attachments),
        }


def job_stdlib(path: Path, folder: Path, workers: int) -> int:
    """Read all into a table as the standard library's own means allow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    del workers
    rows = pa.Table.from_pylist(list(stdlib_rows(path)))
    pq.write_table(rows, folder / "messages.parquet", compression="zstd")
    return rows.num_rows


def job_ours(path: Path, folder: Path, workers: int) -> int:
    from mailforensics.evidence import EvidenceItem, EvidenceKind
    from mailforensics.ingest import CaseFolder, ingest

    item = EvidenceItem(
        evidence_id="E01",
        path=path,
        kind=EvidenceKind.FILE,
        reader="mbox",
        description="",
        size=path.stat().st_size,
        file_count=1,
        sha256="0" * 64,
        md5="0" * 32,
        acquired_at=datetime.now(UTC),
    )
    case = CaseFolder(folder)
    ingest(item, case, workers=workers)
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(part).num_rows for part in case.parts_of("messages"))


def span_tables(path: Path, folder: Path, span: object) -> int:
    """Read one span into the tables of messages and attachments."""
    import pyarrow.parquet as pq

    from mailforensics.readers import ReadLog, Source, Span, load
    from mailforensics.schema import MessageRecord, attachment_table, message_table

    assert isinstance(span, Span)
    reader = load("mbox")
    records = [
        record
        for record in reader.read(Source(path), ReadLog(), span)
        if isinstance(record, MessageRecord)
    ]
    names = {"evidence_sha256": "0" * 64, "source_path": ""}
    rows = message_table(
        records, evidence_id="E01", custodian="", reader="mbox", reader_version="0", **names
    )
    pq.write_table(rows, folder / f"messages-{span.start}.parquet", compression="zstd")
    rows = attachment_table(records, **names)
    pq.write_table(rows, folder / f"attachments-{span.start}.parquet", compression="zstd")
    return len(records)


def job_tables(path: Path, folder: Path, workers: int) -> int:
    """Fill the tables alone, without the full-text index: what the other side does."""
    from concurrent.futures import ProcessPoolExecutor

    from mailforensics.readers import Source, load

    spans = load("mbox").spans(Source(path)) or []
    with ProcessPoolExecutor(workers) as pool:
        return sum(pool.map(span_tables, [path] * len(spans), [folder] * len(spans), spans))


def job_reader(path: Path, folder: Path, workers: int) -> int:
    """Run the reader alone, in one process, without tables and index."""
    del folder, workers
    from mailforensics.readers import ReadLog, Source, load

    return sum(1 for _ in load("mbox").read(Source(path), ReadLog()))


JOBS = {"stdlib": job_stdlib, "ours": job_ours, "tables": job_tables, "reader": job_reader}


# --- measuring -----------------------------------------------------------------------------------


class Memory(threading.Thread):
    """Watches a process and its children: peak bytes of their own and of mapped files."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.own, self.mapped = pid, 0, 0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look twenty times a second until told to stop."""
        import psutil

        while not self.stopped.wait(0.05):
            try:
                root = psutil.Process(self.pid)
                found = [sizes(process) for process in [root, *root.children(recursive=True)]]
            except psutil.Error:
                continue
            self.own = max(self.own, sum(own for own, _ in found))
            self.mapped = max(self.mapped, sum(mapped for _, mapped in found))


def sizes(process: object) -> tuple[int, int]:
    """Return a process's own memory and its pages of mapped files, in bytes."""
    import psutil

    try:
        info = process.memory_info()  # type: ignore[attr-defined]
    except psutil.Error:
        return 0, 0
    shared = getattr(info, "shared", 0)
    return info.rss - shared, shared


def measure(job: str, path: Path, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-case-", dir=path.parent) as folder:
        command = [
            sys.executable,
            __file__,
            "--job",
            job,
            str(path),
            folder,
            "--workers",
            str(workers),
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        memory = Memory(process.pid)
        memory.start()
        printed, _ = process.communicate()
        memory.stopped.set()
    if process.returncode:
        raise SystemExit(f"the job {job} failed")
    return {**json.loads(printed.splitlines()[-1]), "own": memory.own, "mapped": memory.mapped}


def run_job(name: str, path: Path, folder: Path, workers: int) -> None:
    begun, cpu = time.perf_counter(), sum(os.times()[:4])
    count = JOBS[name](path, folder, workers)
    cpu = sum(os.times()[:4]) - cpu
    result = {"wall": time.perf_counter() - begun, "cpu": cpu, "count": count}
    print(json.dumps(result))


def report(name: str, runs: list[dict[str, float]], size: int) -> tuple[float, float]:
    """Print a line and return medians of wall and processor time, in seconds."""
    wall = statistics.median(run["wall"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    own = max(run["own"] for run in runs) / 1e6
    mapped = max(run["mapped"] for run in runs) / 1e6
    count = runs[0]["count"]
    print(
        f"{name:34} {size / 1e6:8.0f} {count:9.0f} {wall:8.1f} {cpu:8.1f} {size / wall / 1e6:7.1f} "
        f"{count / wall:8.0f} {own:8.0f} {mapped:9.0f}"
    )
    return wall, cpu


def compare(arguments: argparse.Namespace) -> None:
    folder = arguments.dir or Path(tempfile.gettempdir()) / "mailforensics-bench"
    folder.mkdir(parents=True, exist_ok=True)
    size = int(arguments.size * 1e9)
    big = make(folder / f"bench-{size}.mbox", size)
    sample = big if arguments.full else make(folder / f"bench-{SAMPLE}.mbox", SAMPLE)
    runs: dict[str, list[dict[str, float]]] = {"stdlib": [], "tables": [], "ours": []}
    for _ in range(arguments.rounds):
        runs["stdlib"].append(measure("stdlib", sample, 1))
        runs["tables"].append(measure("tables", big, arguments.workers))
        runs["ours"].append(measure("ours", big, arguments.workers))
    heads = f"{'MB':>8} {'messages':>9} {'wall s':>8} {'cpu s':>8} {'MB/s':>7} {'msg/s':>8}"
    print(f"{'':34} {heads} {'own MB':>8} {'mapped MB':>9}")
    scale = big.stat().st_size / sample.stat().st_size
    wall, cpu = report("mailbox.mbox + email, 1 process", runs["stdlib"], sample.stat().st_size)
    wall, cpu = wall * scale, cpu * scale
    said = "measured" if arguments.full else "scaled by bytes from the sample"
    print(f"{'  the same for the whole mailbox':34} {'':18} {wall:8.1f} {cpu:8.1f}  {said}")
    for job, name in (("tables", "the same columns"), ("ours", "ingest, with index")):
        title = f"ours, {arguments.workers} processes: {name}"
        own = report(title, runs[job], big.stat().st_size)
        print(f"  ratio {wall / own[0]:.1f} (bar 5); of processor time {cpu / own[1]:.1f}")
    print("own: private memory of all processes; mapped: pages of files, which can be dropped")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=1.07, help="GB of the mailbox")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="let the standard library read it all")
    parser.add_argument("--dir", type=Path, help="where the mailbox is made and kept")
    parser.add_argument(
        "--job", nargs=3, metavar=("NAME", "MBOX", "FOLDER"), help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.job:
        name, path, folder = arguments.job
        run_job(name, Path(path), Path(folder), arguments.workers)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
