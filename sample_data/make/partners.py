"""Mail with partners: customers, suppliers, carriers, fairs, advertisers; Nordwind before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sample_data.make.attachments import Attachment, pdf
from sample_data.make.calendar import FIRST, at, each, workday
from sample_data.make.chance import number, pick
from sample_data.make.letter import Letter, subject_of_reply

__all__ = ["PRODUCTS", "answer", "partners"]

PRODUCTS = (
    "DN50 闸阀",
    "DN80 闸阀",
    "DN100 蝶阀",
    "DN150 蝶阀",
    "DN80 止回阀",
    "DN200 软密封闸阀",
    "DN65 球阀",
)
_ITEMS = ("gate valves DN50", "gate valves DN80", "check valves DN80", "butterfly valves DN100")


def partners() -> Iterator[Letter]:
    """Yield the letters of all partners, stream by stream."""
    for stream in (_castings, _domestic, _taiwan, _japan, _freight, _fair, _spam, _nordwind_before):
        yield from stream()


def answer(
    letter: Letter, key: str, sender: str, sent: datetime, text: str, *, chinese: bool
) -> Letter:
    """Answer a letter; the mailbox of the sales department writes by one of its people."""
    return Letter(
        key=key,
        sent=sent,
        sender=sender,
        to=[letter.sender.partition(".")[0]],
        cc=[name for name in letter.cc if name != sender],
        text=text,
        reply_to=letter.key,
        subject=subject_of_reply(letter.subject, chinese=chinese),
        topic=letter.topic,
    )


def _castings() -> Iterator[Letter]:
    for day in each(50, FIRST + timedelta(days=7)):
        product, count = pick(PRODUCTS, "cast", day), 40 + 8 * number(20, "cast count", day)
        first = Letter(
            key=f"cast-{day}-1",
            sent=at(day, 9, 50, "cast"),
            sender="sales.lina",
            to=["jianghai"],
            cc=["liu"],
            subject=f"采购：{product}毛坯 {count} 件",
            topic="supplier",
            text=f"万经理：\n\n请报 {product}毛坯 {count} 件的价格和交期，材质 QT450-10，图纸不变。\n\n李娜",  # noqa: E501
        )
        yield first
        quote = 86 + number(140, "price", day)
        second = answer(
            first,
            f"cast-{day}-2",
            "jianghai",
            at(day, 15, 40, "cast 2"),
            chinese=True,
            text=f"李小姐：\n\n{product}毛坯每件 {quote} 元，{3 + number(3, 'weeks', day)} 周交货。"
            "生铁又涨了，请尽快确认，珺琪会跟您对账。\n\n万昇玥\n江海铸造",
        )
        second.cc = ["liu"]
        yield second


def _domestic() -> Iterator[Letter]:
    customers = ("anlan", "xinyuan", "beigang")
    signed = {"anlan": "何建国 安澜水务", "xinyuan": "唐静 新源供水", "beigang": "马文斌 北港船务"}
    for place, day in enumerate(each(23, FIRST + timedelta(days=4))):
        who, product = customers[place % 3], pick(PRODUCTS, "home", day)
        count = 2 + number(60, "home count", day)
        first = Letter(
            key=f"home-{day}-1",
            sent=at(day, 9, 15, "home"),
            sender=who,
            to=["sales"],
            topic="customer",
            subject=pick(
                (f"询价：{product} {count} 台", f"{product}什么时候能发货", f"关于{product}的备件"),
                "s",
                day,
            ),
            text=f"华阳销售部：\n\n我们需要 {product} {count} 台，"
            + pick(
                (
                    "请报含税价。",
                    "最好月底前到货。",
                    "另外请附一份合格证。",
                    "密封圈也要两套备件。",
                ),
                "t",
                day,
            )
            + f"\n\n{signed[who]}",
        )
        yield first
        price = 260 + number(900, "home price", day)
        yield answer(
            first,
            f"home-{day}-2",
            "sales.zhou",
            at(day, 14, 25, "home 2"),
            chinese=True,
            text=f"您好：\n\n{product}含税单价 {price} 元，{count} 台共 {price * count} 元，现货 {number(30, 'st', day)} 台，"  # noqa: E501
            "其余两周内发。\n\n周伟\n华阳阀门销售部",
        )


def _taiwan() -> Iterator[Letter]:
    for day in each(104, FIRST + timedelta(days=17)):
        first = Letter(
            key=f"taiwan-{day}-1",
            sent=at(day, 10, 35, "taiwan"),
            sender="dingxin",
            to=["sales"],
            cc=["lina"],
            subject="蝶閥型錄與報價單",
            topic="partner",
            text=f"您好：\n\n敝公司預計於下個月採購蝶閥 {10 + number(40, 'tw', day)} 台，煩請惠寄最新型錄與報價單。"  # noqa: E501
            "\n\n順頌商祺\n林佳蓉\n鼎信流體機械",
        )
        yield first
        yield answer(
            first,
            f"taiwan-{day}-2",
            "sales.zhou",
            at(day, 16, 5, "taiwan 2"),
            chinese=True,
            text="林小姐：\n\n型录和报价单明天寄出，价格与上次相同。\n\n周伟",
        )


def _japan() -> Iterator[Letter]:
    for day in each(97, FIRST + timedelta(days=29)):
        yield Letter(
            key=f"japan-{day}",
            sent=at(day, 9, 5, "japan"),
            sender="towa",
            to=["sales"],
            topic="partner",
            subject="バルブ部品の納期について",
            text="華陽バルブ 営業部御中\n\nいつもお世話になっております。先日注文いたしました部品 "
            f"{5 + number(50, 'jp', day)} 個の納期をお知らせください。\n\n東和精機\n佐藤健一",
        )


def _freight() -> Iterator[Letter]:
    for place, day in enumerate(each(33, FIRST + timedelta(days=12))):
        code = f"BH-SHA-{day:%y%m%d}-{10 + place}"
        paper: list[Attachment] = []
        if place % 3 == 0:
            paper = [pdf(f"{code}.pdf", f"提单 {code}", ["BILL OF LADING", code, "Shanghai"])]
        yield Letter(
            key=f"freight-{day}",
            sent=at(day, 17, 10, "freight"),
            sender="blueharbor",
            to=["sales"],
            cc=["lina"],
            subject=f"{code}: {pick(('booking confirmed', 'on board', 'arrived', 'papers'), 'f', day)}",  # noqa: E501
            text=f"Dear customer,\n\n{1 + number(9, 'pallets', day)} pallets, {300 + number(3000, 'kg', day)} kg. "  # noqa: E501
            "The papers follow by courier.\n\nBlue Harbor Logistics",
            attachments=paper,
            topic="freight",
        )


def _fair() -> Iterator[Letter]:
    for place, day in enumerate(each(91, FIRST + timedelta(days=40))):
        line = ("Early booking ends soon", "Your stand", "Exhibitors' list", "Timetable")[place % 4]
        yield Letter(
            key=f"fair-{day}",
            sent=at(day, 20, 30, "fair"),
            sender="flowfair",
            to=["sales"],
            subject=f"FlowFair {day.year + 1}: {line}",
            topic="fair",
            text=f"Dear exhibitor,\n\n{line}: hall 4 is nearly full. Answer this letter to keep your place.\n\nFlowFair",  # noqa: E501
            html=f"<html><body><h2>FlowFair</h2><p>{line}: hall 4 is <b>nearly full</b>. Answer this letter to keep "  # noqa: E501
            "your place.</p></body></html>",
        )


def _spam() -> Iterator[Letter]:
    for place, day in enumerate(each(29, FIRST + timedelta(days=6))):
        hour = (day.toordinal() * 7) % 24
        yield Letter(
            key=f"spam-{day}",
            sent=at(day, hour, 30, "spam"),
            sender="cheapseals",
            to=["sales"],
            topic="spam",
            subject=pick(
                (
                    "SEALS -70% only today!!!",
                    "Best O-rings, best price",
                    "Dear Friend, rubber seals",
                ),
                "sp",
                day,
            ),
            text=f"Dear Friend\n\nWe are leading factory of seals. Offer no. {1000 + place}. Answer NOW.",  # noqa: E501
            html="<html><body><center><font size=6 color=red>SEALS -70%</font><br>Offer no. "
            f"{1000 + place}. Answer NOW.</center></body></html>",
        )


def _nordwind_before() -> Iterator[Letter]:
    """Earlier, smaller orders of Nordwind Pumps, in peace: what was on the stick alone."""
    for order, day in enumerate(each(31, date(2024, 11, 20)), start=1):
        if day >= date(2026, 2, 10):
            return
        code, item, count = (
            f"HY-2025-{100 + 11 * order}",
            pick(_ITEMS, "o", day),
            6 + number(40, "n", day),
        )
        first = Letter(
            key=f"order-{order:02d}-1",
            sent=at(day, 17, 20, "order"),
            sender="vogel",
            to=["sales"],
            subject=f"Order {code}: {count} {item}",
            topic="nordwind",
            fate="old",
            text=f"Dear Mr Zhou,\n\nplease deliver {count} {item} as before, to Husum. "
            f"The drawings are unchanged. Please confirm.\n\nKind regards\nKatrin Vogel",
        )
        yield first
        paper = pdf(
            f"Confirmation {code}.pdf",
            f"订单确认 {code}",
            [f"ORDER {code}", f"{count} {item}"],
            pages=9,
        )
        second = answer(
            first,
            f"order-{order:02d}-2",
            "sales.zhou",
            at(workday(day + timedelta(days=1)), 9, 40, "o2"),
            chinese=False,
            text=f"Dear Ms Vogel,\n\nthank you for order {code}. We deliver {count} {item} in "
            f"{5 + number(4, 'ow', day)} weeks; the confirmation is attached.\n\nBest regards\nZhou Wei",  # noqa: E501
        )
        second.attachments, second.fate = [paper], "old"
        yield second
