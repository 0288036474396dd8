"""The papers of the dispute: price lists, contract, drawings, photo, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sample_data.make.attachments import Attachment, calendar_entry, csv, pdf, png, xlsx
from sample_data.make.calendar import CHINA
from sample_data.make.chance import digest, number

__all__ = ["PAPERS"]

_CLAUSES = (
    "1 The seller delivers 240 gate valves DN80 PN16 and 60 check valves DN80 PN16.",
    "2 The price is EUR 372,800, delivered to Husum.",
    "3 Payment: 30 % in advance, 60 % on shipment, 10 % after acceptance.",
    "4 The drawings of revision C are part of this contract.",
    "5 Coating: 250 micrometres inside and outside.",
    "6 Seat rings: EPDM, 70 Shore A, plus or minus 5.",
    "7 Each valve is tested at 1.1 x PN (seat) and 1.5 x PN (body); the protocol is enclosed.",
    "8 Day of arrival in Husum: 10 July 2026.",
    "9 Late or faulty delivery: 0.5 % of the price for each week, at most 5 %.",
    "10 Place of jurisdiction is agreed separately.",
)


def _prices(name: str, gate: int, check: int) -> Attachment:
    rows = [
        ["货号 Item", "名称 Name", "数量 Qty", "单价 EUR", "金额 EUR"],
        ["HY-Z45X-80", "闸阀 Gate valve DN80 PN16", 240, gate, 240 * gate],
        ["HY-H44X-80", "止回阀 Check valve DN80 PN16", 60, check, 60 * check],
        ["", "包装 Packing", 1, 20, 20],
        ["", "合计 Total DAP Husum", 300, "", 240 * gate + 60 * check + 20],
    ]
    return xlsx(name, "价格表", rows)


def _contract(name: str, title: str, note: str) -> Attachment:
    head = ["CONTRACT HY-2026-0417", "Huayang Valve - Nordwind Pumps", note, ""]
    return pdf(name, title, [*head, *_CLAUSES], pages=2)


def _photo() -> Attachment:
    """Draw a valve seat in grey with a wet streak and drops below it."""
    width, height = 176, 132
    pixels = bytearray(width * height)
    for y in range(height):
        noise = digest("photo", y) * 6
        for x in range(width):
            pixels[y * width + x] = _shade(x - width // 2, y - 50) + noise[x] % 3
    greys = [value * 0x010101 for value in range(0, 256, 8)]
    blues = [0x3A6EA5, 0x5B8DB8, 0x8FB3CF, 0x264B73]
    return png("0417-083.png", width, height, greys + blues, bytes(pixels))


def _shade(x: int, y: int) -> int:
    radius = (x * x + y * y) ** 0.5
    if abs(x + 3) < 3 + max(y - 20, 0) // 18 and y > 18:
        return 32
    if radius < 22:
        return 2
    if radius < 44:
        return 18 + int(radius) % 7
    return 24 if y < 40 else 10


def _serials() -> Attachment:
    rows: list[list[object]] = [["No.", "Serial", "Leakage ml/min at 1.1 x PN"]]
    for line in range(11):
        serial = 7 + line * 21 + number(17, "serial", line)
        rows.append([line + 1, f"0417-{serial:03d}", 12 + number(90, "leak", line)])
    return csv("leakage-26-118.csv", rows)


def _hardness() -> Attachment:
    rows: list[list[object]] = [["序号", "批号", "硬度 Shore A", "判定"]]
    rows += [[line, "2605", 79 + number(4, "shore", line), "超差"] for line in range(1, 21)]
    return csv("2605批硬度抽检.csv", rows)


def _call() -> Attachment:
    start = datetime(2026, 10, 29, 16, 0, tzinfo=CHINA)
    uid = "call-0417@huayang.example"
    stop = start + timedelta(minutes=45)
    return calendar_entry("invite.ics", uid, "HY-2026-0417: clause 9", start, stop)


def _letter(name: str, title: str, *lines: str, pages: int = 1) -> Callable[[], Attachment]:
    return lambda: pdf(name, title, lines, pages=pages)


PAPERS: Mapping[str, Callable[[], Attachment]] = MappingProxyType(
    {
        "prices1": lambda: _prices("价格表 HY-2026-0313.xlsx", 1390, 913),
        "prices2": lambda: _prices("价格表 HY-2026-0320.xlsx", 1340, 853),
        "draft": lambda: _contract("HY-2026-0417 draft.pdf", "购销合同草稿 HY-2026-0417", "DRAFT"),
        "contract": lambda: _contract("HY-2026-0417.pdf", "购销合同 HY-2026-0417", "10 April 2026"),
        "signed": lambda: _contract(
            "合同 HY-2026-0417 已签.pdf", "购销合同 HY-2026-0417（已签）", "Signed 17 April 2026"
        ),
        "drawing": _letter(
            "GV-DN80-revC.pdf", "闸阀图纸 DN80 C版", "Gate valve DN80", "Revision C, 8 holes 18 mm",
            pages=3,
        ),
        "reserve": _letter(
            "Reservation of rights.pdf", "权利保留函", "Nordwind Pumps, 29 June 2026",
            "We reserve all rights under clause 9 of contract HY-2026-0417.", pages=6,
        ),
        "lading": _letter(
            "BH-SHA-260724-11.pdf", "提单 BH-SHA-260724-11", "BILL OF LADING", "12 pallets, 7,860 kg",  # noqa: E501
            "Shanghai - Hamburg, vessel Harbor Lark",
        ),
        "photo": _photo,
        "serials": _serials,
        "hardness": _hardness,
        "report": _letter(
            "检验报告-退回阀门.pdf", "退回阀门检验报告", "Test report QA-26-092",
            "Seat rings of batch 2605: 81 and 80 Shore A (70 +/- 5 agreed)", pages=2,
        ),
        "notice": _letter(
            "Notice clause 9.pdf", "索赔通知 第九条", "FORMAL NOTICE, 9 October 2026",
            "Penalty 5 % of EUR 372,800 = EUR 18,640", "11 valves to be replaced", pages=8,
        ),
        "call": _call,
        "minutes": _letter(
            "会议纪要-20261029.pdf", "10月29日电话会议纪要（草稿）", "Minutes of the call, 29 October 2026",  # noqa: E501
            "1 Eleven valves replaced by 20 November", "2 Penalty: open, answer by 13 November",
        ),
        "final": _letter(
            "Report 26-118.pdf", "投诉 26-118 最终报告", "Laboratory report 26-118",
            "Hardness of seat rings: 80 Shore A on average", pages=2,
        ),
        "rework": lambda: csv(
            "返工单-2605.csv",
            [["日期", "工序", "批号", "数量", "签字"], ["2026-06-17", "换装密封圈", "2605", 240, "周伟"]],  # noqa: E501
        ),
    }
)  # fmt: skip
