"""Everyday mail: what two years at Huayang Valve leave in two mailboxes beside the dispute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sample_data.make.attachments import Attachment, calendar_entry, csv, pdf
from sample_data.make.calendar import CHINA, FIRST, LAST, at, each, workday
from sample_data.make.chance import number, pick, some
from sample_data.make.letter import Letter, subject_of_reply

__all__ = ["everyday"]

_DISHES = (
    "红烧肉", "清蒸鲈鱼", "麻婆豆腐", "番茄炒蛋", "土豆牛腩", "宫保鸡丁", "蒜蓉西兰花", "糖醋排骨",
    "酸辣土豆丝", "梅菜扣肉", "青椒肉丝", "冬瓜排骨汤", "香菇青菜", "鱼香茄子", "雪菜毛豆", "咖喱鸡块",
)  # fmt: skip
_PRODUCTS = (
    "DN50 闸阀", "DN80 闸阀", "DN100 蝶阀", "DN150 蝶阀", "DN80 止回阀", "DN200 软密封闸阀", "DN65 球阀",
)  # fmt: skip
_ITEMS = ("gate valves DN50", "gate valves DN80", "check valves DN80", "butterfly valves DN100")


def everyday() -> Iterator[Letter]:
    """Yield all everyday letters, stream by stream."""
    streams = (
        _canteen, _weekly_report, _newsletter, _meetings, _birthdays, _notices, _office, _statements,
        _castings, _domestic, _taiwan, _japan, _freight, _fair, _spam, _hotel, _nordwind_before,
        _last_week,
    )  # fmt: skip
    for stream in streams:
        yield from stream()


def _canteen() -> Iterator[Letter]:
    for day in each(21):
        lines = [
            f"{name}：{'、'.join(some(_DISHES, 3, 'dish', day, name))}"
            for name in ("周一", "周二", "周三", "周四", "周五")
        ]
        yield Letter(
            key=f"canteen-{day}", sent=at(day, 8, 30, "canteen"), sender="canteen", to=["all"],
            subject=f"本周菜单（{day.month}月{day.day}日起）", topic="canteen",
            text="各位同事：\n\n本周菜单如下，请各部门周一上午十点前报人数。\n\n" + "\n".join(lines) + "\n\n食堂",
        )  # fmt: skip


def _weekly_report() -> Iterator[Letter]:
    for day in each(14, FIRST + timedelta(days=4)):
        won, open_offers = 1 + number(5, "won", day), 4 + number(9, "open", day)
        names = "、".join(some(_PRODUCTS, 2, "report", day))
        yield Letter(
            key=f"report-{day}", sent=at(day, 16, 40, "report"), sender="zhou", to=["chen"],
            cc=["sales", "lina"], subject=f"销售周报 {day.year}年第{day.isocalendar()[1]}周",
            topic="report",
            text=f"陈总：\n\n本周新签 {won} 单，在谈报价 {open_offers} 个，询价集中在{names}。\n"
            f"回款 {18 + number(60, 'money', day)} 万元。下周重点："
            + pick(("跟进北港船务", "安澜水务的投标文件", "展会样品", "催江海的毛坯", "整理价格表"), "next", day)
            + "。\n\n周伟",
        )  # fmt: skip


_NEWS = (
    ("Ductile iron prices go down again", "Foundries report fuller stocks than a year ago."),
    ("New standard for seat tightness under discussion", "The committee will vote in spring."),
    ("Seawater and rubber: what engineers learned", "Hardness matters more than many think."),
    ("Freight rates to Northern Europe", "Three carriers announced new timetables."),
    ("Five questions about coatings", "Our readers asked, two laboratories answered."),
    ("Butterfly or gate?", "A waterworks compares twenty years of repairs."),
)


def _newsletter() -> Iterator[Letter]:
    for issue, day in enumerate(each(14, FIRST + timedelta(days=3)), start=211):
        title, line = pick(_NEWS, "news", day)
        other, more = pick(_NEWS, "more news", day)
        text = f"VALVE WEEKLY, No. {issue}\n\n{title}\n{line}\n\n{other}\n{more}\n\nTo unsubscribe answer with STOP."
        html = (
            f'<html><body style="font-family:sans-serif"><h1>Valve Weekly <small>{issue}</small></h1>'
            f"<h2>{title}</h2><p>{line}</p><h2>{other}</h2><p>{more}</p><hr>"
            "<p><small>To unsubscribe answer with STOP.</small></p></body></html>"
        )
        yield Letter(
            key=f"news-{issue}", sent=at(day, 18, 0, "news"), sender="valveweekly", to=["sales"],
            subject=f"Valve Weekly {issue}: {title}", text=text, html=html, topic="newsletter",
        )  # fmt: skip


_MEETINGS = ("销售例会", "质量分析会", "生产协调会", "展会准备会", "价格评审会", "供应商评审会")


def _meetings() -> Iterator[Letter]:
    for day in each(24, FIRST + timedelta(days=1)):
        title, later = pick(_MEETINGS, "meeting", day), workday(day + timedelta(days=3))
        start = datetime(
            later.year, later.month, later.day, 9 + number(7, "hour", day), 30, tzinfo=CHINA
        )
        entry = calendar_entry(
            "invite.ics", f"meet-{day}@huayang.example", title, start, start + timedelta(hours=1)
        )
        yield Letter(
            key=f"meeting-{day}", sent=at(day, 10, 10, "meeting"), sender="lina",
            to=["chen", "zhou", "wang", "liu"], cc=["sales"], attachments=[entry],
            subject=f"会议邀请：{title}（{later.month}月{later.day}日 {start.hour}:30）", topic="meeting",
            text=f"各位：\n\n{later.month}月{later.day}日 {start.hour}:30 在二楼会议室开{title}，请准时参加。\n\n李娜",
        )  # fmt: skip


def _birthdays() -> Iterator[Letter]:
    born = (("孙磊", 1, 17), ("王芳", 3, 12), ("李娜", 4, 28), ("赵敏", 6, 9), ("周伟", 8, 21),
            ("刘洋", 9, 15), ("陈志远", 11, 20), ("黄丽", 12, 5))  # fmt: skip
    for year in (2024, 2025, 2026):
        for name, month, dom in born:
            day = workday(date(year, month, dom))
            if FIRST <= day <= LAST:
                yield Letter(
                    key=f"birthday-{day}", sent=at(day, 9, 20, "birthday"), sender="huang", to=["all"],
                    subject=f"生日快乐，{name}！", topic="birthday",
                    text=f"各位同事：\n\n今天是{name}的生日，下午三点在茶水间切蛋糕，欢迎都来。🎂\n\n黄丽",
                )  # fmt: skip


_NOTICES = (
    ("邮件服务器周六维护", "本周六 22:00 到 24:00 邮件服务器维护，期间不能收发邮件。"),
    ("请修改邮箱密码", "按公司规定，密码每半年更换一次，请在本周五之前完成。"),
    ("谨防诈骗邮件", "近期有人冒充供应商发来“更改收款账号”的邮件，请不要点开附件，直接转给我。"),
    ("打印机更换", "三楼打印机今天更换，驱动已经自动安装，有问题打分机 8040。"),
    ("邮箱容量提醒", "公共邮箱 sales 已用 78%，请把不用的大附件移到归档文件夹。"),
    ("备份安排", "邮件服务器每周一和周五凌晨两点各做一次备份，备份保留四周。"),
)


def _notices() -> Iterator[Letter]:
    for place, day in enumerate(each(42, FIRST + timedelta(days=2))):
        title, line = _NOTICES[place % len(_NOTICES)]
        yield Letter(
            key=f"notice-{day}", sent=at(day, 14, 0, "notice"), sender="sun", to=["all"],
            subject=f"[IT 通知] {title}", text=f"各位同事：\n\n{line}\n\n孙磊 IT", topic="notice",
        )  # fmt: skip


_OFFICE = (
    ("放假安排", "假期安排见公告栏，请各部门排好值班，节前最后一天四点下班。"),
    ("体检通知", "今年的体检安排在下周，请空腹，带好工牌。"),
    ("停车位登记", "厂区北门车位重新登记，请把车牌号报给行政。"),
    ("消防演练", "周四下午三点消防演练，听到铃声请到篮球场集合。"),
    ("工会电影票", "工会发电影票，每人两张，到三楼领取。"),
)


def _office() -> Iterator[Letter]:
    for place, day in enumerate(each(49, FIRST + timedelta(days=9))):
        title, line = _OFFICE[place % len(_OFFICE)]
        yield Letter(
            key=f"office-{day}", sent=at(day, 11, 0, "office"), sender="huang", to=["all"],
            subject=f"{title}（{day.month}月）", text=f"各位同事：\n\n{line}\n\n黄丽 人事行政", topic="office",
        )  # fmt: skip


def _statements() -> Iterator[Letter]:
    customers = ("安澜水务", "新源供水", "北港船务", "北风泵业", "鼎信流体")
    for day in each(30, FIRST + timedelta(days=25)):
        rows: list[list[object]] = [["客户", "应收（元）", "账龄（天）"]]
        rows += [
            [name, 1000 * (20 + number(300, "due", day, name)), 10 + number(80, "age", day, name)]
            for name in customers
        ]
        yield Letter(
            key=f"statement-{day}", sent=at(day, 15, 30, "statement"), sender="zhao", to=["sales"],
            cc=["chen"], subject=f"{day.month}月应收账款明细", attachments=[csv(f"应收{day:%Y%m}.csv", rows)],
            text=f"销售部：\n\n附件是{day.month}月的应收账款，账龄超过 60 天的请抓紧催。\n\n赵敏", topic="statement",
        )  # fmt: skip


# --- threads with partners --------------------------------------------------------------------


def _answer(
    letter: Letter, key: str, sender: str, sent: datetime, text: str, *, chinese: bool
) -> Letter:
    """Answer a letter; the mailbox of the sales department writes by one of its people."""
    return Letter(
        key=key, sent=sent, sender=sender, to=[letter.sender.replace("sales.zhou", "sales")],
        cc=[name for name in letter.cc if name != sender], text=text, reply_to=letter.key,
        subject=subject_of_reply(letter.subject, chinese=chinese), topic=letter.topic,
    )  # fmt: skip


def _castings() -> Iterator[Letter]:
    for day in each(50, FIRST + timedelta(days=7)):
        product, count = pick(_PRODUCTS, "cast", day), 40 + 8 * number(20, "cast count", day)
        first = Letter(
            key=f"cast-{day}-1", sent=at(day, 9, 50, "cast"), sender="sales.lina", to=["jianghai"],
            cc=["liu"], subject=f"采购：{product}毛坯 {count} 件", topic="supplier",
            text=f"万经理：\n\n请报 {product}毛坯 {count} 件的价格和交期，材质 QT450-10，图纸不变。\n\n李娜",
        )  # fmt: skip
        yield first
        quote = 86 + number(140, "price", day)
        second = _answer(
            first, f"cast-{day}-2", "jianghai", at(day, 15, 40, "cast 2"), chinese=True,
            text=f"李小姐：\n\n{product}毛坯每件 {quote} 元，{3 + number(3, 'weeks', day)} 周交货。"
            "生铁又涨了，请尽快确认，珺琪会跟您对账。\n\n万昇玥\n江海铸造",
        )  # fmt: skip
        second.cc = ["liu"]
        yield second


def _domestic() -> Iterator[Letter]:
    customers = ("anlan", "xinyuan", "beigang")
    signed = {"anlan": "何建国 安澜水务", "xinyuan": "唐静 新源供水", "beigang": "马文斌 北港船务"}
    for place, day in enumerate(each(23, FIRST + timedelta(days=4))):
        who, product = customers[place % 3], pick(_PRODUCTS, "home", day)
        count = 2 + number(60, "home count", day)
        first = Letter(
            key=f"home-{day}-1", sent=at(day, 9, 15, "home"), sender=who, to=["sales"], topic="customer",
            subject=pick((f"询价：{product} {count} 台", f"{product}什么时候能发货", f"关于{product}的备件"), "s", day),
            text=f"华阳销售部：\n\n我们需要 {product} {count} 台，"
            + pick(("请报含税价。", "最好月底前到货。", "另外请附一份合格证。", "密封圈也要两套备件。"), "t", day)
            + f"\n\n{signed[who]}",
        )  # fmt: skip
        yield first
        price = 260 + number(900, "home price", day)
        yield _answer(
            first, f"home-{day}-2", "sales.zhou", at(day, 14, 25, "home 2"), chinese=True,
            text=f"您好：\n\n{product}含税单价 {price} 元，{count} 台共 {price * count} 元，现货 {number(30, 'st', day)} 台，"
            "其余两周内发。\n\n周伟\n华阳阀门销售部",
        )  # fmt: skip


def _taiwan() -> Iterator[Letter]:
    for day in each(104, FIRST + timedelta(days=17)):
        first = Letter(
            key=f"taiwan-{day}-1", sent=at(day, 10, 35, "taiwan"), sender="dingxin", to=["sales"],
            cc=["lina"], subject="蝶閥型錄與報價單", topic="partner",
            text=f"您好：\n\n敝公司預計於下個月採購蝶閥 {10 + number(40, 'tw', day)} 台，煩請惠寄最新型錄與報價單。"
            "\n\n順頌商祺\n林佳蓉\n鼎信流體機械",
        )  # fmt: skip
        yield first
        yield _answer(
            first, f"taiwan-{day}-2", "sales.zhou", at(day, 16, 5, "taiwan 2"), chinese=True,
            text="林小姐：\n\n型录和报价单明天寄出，价格与上次相同。\n\n周伟",
        )  # fmt: skip


def _japan() -> Iterator[Letter]:
    for day in each(97, FIRST + timedelta(days=29)):
        yield Letter(
            key=f"japan-{day}", sent=at(day, 9, 5, "japan"), sender="towa", to=["sales"], topic="partner",
            subject="バルブ部品の納期について",
            text="華陽バルブ 営業部御中\n\nいつもお世話になっております。先日注文いたしました部品 "
            f"{5 + number(50, 'jp', day)} 個の納期をお知らせください。\n\n東和精機\n佐藤健一",
        )  # fmt: skip


def _freight() -> Iterator[Letter]:
    for place, day in enumerate(each(33, FIRST + timedelta(days=12))):
        code = f"BH-SHA-{day:%y%m%d}-{10 + place}"
        paper: list[Attachment] = []
        if place % 3 == 0:
            paper = [pdf(f"{code}.pdf", f"提单 {code}", ["BILL OF LADING", code, "Shanghai"])]
        yield Letter(
            key=f"freight-{day}", sent=at(day, 17, 10, "freight"), sender="blueharbor", to=["sales"],
            cc=["lina"], subject=f"{code}: {pick(('booking confirmed', 'on board', 'arrived', 'papers'), 'f', day)}",
            text=f"Dear customer,\n\n{1 + number(9, 'pallets', day)} pallets, {300 + number(3000, 'kg', day)} kg. "
            "The papers follow by courier.\n\nBlue Harbor Logistics", attachments=paper, topic="freight",
        )  # fmt: skip


def _fair() -> Iterator[Letter]:
    for place, day in enumerate(each(91, FIRST + timedelta(days=40))):
        line = ("Early booking ends soon", "Your stand", "Exhibitors' list", "Timetable")[place % 4]
        yield Letter(
            key=f"fair-{day}", sent=at(day, 20, 30, "fair"), sender="flowfair", to=["sales"],
            subject=f"FlowFair {day.year + 1}: {line}", topic="fair",
            text=f"Dear exhibitor,\n\n{line}: hall 4 is nearly full. Answer this letter to keep your place.\n\nFlowFair",
            html=f"<html><body><h2>FlowFair</h2><p>{line}: hall 4 is <b>nearly full</b>. Answer this letter to keep "
            "your place.</p></body></html>",
        )  # fmt: skip


def _spam() -> Iterator[Letter]:
    for place, day in enumerate(each(29, FIRST + timedelta(days=6))):
        hour = (day.toordinal() * 7) % 24
        yield Letter(
            key=f"spam-{day}", sent=at(day, hour, 30, "spam"), sender="cheapseals", to=["sales"], topic="spam",
            subject=pick(("SEALS -70% only today!!!", "Best O-rings, best price", "Dear Friend, rubber seals"), "sp", day),
            text=f"Dear Friend\n\nWe are leading factory of seals. Offer no. {1000 + place}. Answer NOW.",
            html="<html><body><center><font size=6 color=red>SEALS -70%</font><br>Offer no. "
            f"{1000 + place}. Answer NOW.</center></body></html>",
        )  # fmt: skip


def _hotel() -> Iterator[Letter]:
    for day in each(57, FIRST + timedelta(days=15)):
        later = day + timedelta(days=5)
        yield Letter(
            key=f"hotel-{day}", sent=at(day, 13, 15, "hotel"), sender="hotel", to=["lina"], topic="travel",
            subject=f"预订确认：云亭酒店 {later.month}月{later.day}日",
            text=f"李女士：\n\n您为陈志远先生预订的房间已确认，{later.month}月{later.day}日入住，一晚，"
            f"{380 + 20 * number(9, 'room', day)} 元。\n\n云亭酒店",
        )  # fmt: skip


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
            key=f"order-{order:02d}-1", sent=at(day, 17, 20, "order"), sender="vogel", to=["sales"],
            subject=f"Order {code}: {count} {item}", topic="nordwind", fate="old",
            text=f"Dear Mr Zhou,\n\nplease deliver {count} {item} as before, to Husum. "
            f"The drawings are unchanged. Please confirm.\n\nKind regards\nKatrin Vogel",
        )  # fmt: skip
        yield first
        paper = pdf(
            f"Confirmation {code}.pdf",
            f"订单确认 {code}",
            [f"ORDER {code}", f"{count} {item}"],
            pages=9,
        )
        second = _answer(
            first, f"order-{order:02d}-2", "sales.zhou", at(workday(day + timedelta(days=1)), 9, 40, "o2"),
            chinese=False, text=f"Dear Ms Vogel,\n\nthank you for order {code}. We deliver {count} {item} in "
            f"{5 + number(4, 'ow', day)} weeks; the confirmation is attached.\n\nBest regards\nZhou Wei",
        )  # fmt: skip
        second.attachments, second.fate = [paper], "old"
        yield second


def _last_week() -> Iterator[Letter]:
    """Life goes on in the week of 9 to 12 November, and after the deletion."""
    rows = (
        (9, 8, 55, "liu", "sales", "本周排产", "DN100 蝶阀周三开装，DN50 闸阀周五入库。\n\n刘洋"),
        (9, 10, 20, "anlan", "sales", "蝶阀 12 台，地址更正", "请发到城西泵站，收货人还是我。\n\n何建国"),
        (9, 14, 30, "xinyuan", "sales", "合格证收到", "合格证收到了，谢谢。货款本周付。\n\n唐静"),
        (9, 16, 15, "zhao", "lina", "陈总的差旅发票", "广州那次还差一张高铁票，请补一下。\n\n赵敏"),
        (10, 9, 10, "beigang", "sales", "DN200 软密封闸阀交期", "船期提前了，能不能 20 号前交？\n\n马文斌"),
        (10, 10, 45, "jianghai", "sales", "11 月毛坯发货单", "DN80 阀体 60 件今天装车，珺琪随车。\n\n万昇玥"),
        (10, 13, 40, "huang", "lina", "年会节目", "销售部出一个节目，周五前报给我。\n\n黄丽"),
        (10, 16, 30, "blueharbor", "sales", "BH-SHA-261110-02: papers", "Dear customer,\n\npapers are on the way.\n\nBlue Harbor Logistics"),
        (11, 8, 50, "wang", "sales", "DN100 蝶阀首检合格", "首检合格，可以批量装。\n\n王芳"),
        (11, 11, 20, "towa", "sales", "納期のご確認", "11月末で承知いたしました。\n\n佐藤健一"),
        (11, 15, 5, "dingxin", "sales", "樣品已收到", "樣品已收到，下週回覆。\n\n林佳蓉"),
        (12, 9, 5, "liu", "sales", "明天盘点", "明天下午仓库盘点，发货停半天。\n\n刘洋"),
        (12, 11, 35, "anlan", "sales", "请开增值税发票", "12 台蝶阀的发票请开专票。\n\n何建国"),
        (12, 18, 40, "beigang", "sales", "Re: 交期确认", "好的，就 20 号。\n\n马文斌"),
        (12, 21, 10, "flowfair", "sales", "FlowFair 2027: last places", "Dear exhibitor,\n\nthree stands are left.\n\nFlowFair"),
    )  # fmt: skip
    for day, hour, minute, sender, to, subject, text in rows:
        yield Letter(
            key=f"week-{day}-{hour:02d}{minute:02d}", sent=datetime(2026, 11, day, hour, minute, 11, tzinfo=CHINA),
            sender=sender, to=[to], subject=subject, text=text, topic="week",
        )  # fmt: skip
