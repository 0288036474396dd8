"""Everyday mail: what two years at Huayang Valve leave in two mailboxes beside the dispute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sample_data.make.attachments import calendar_entry, csv
from sample_data.make.calendar import CHINA, FIRST, LAST, at, each, workday
from sample_data.make.chance import number, pick, some
from sample_data.make.letter import Letter
from sample_data.make.partners import PRODUCTS, answer, partners

__all__ = ["everyday"]

_DISHES = (
    "红烧肉",
    "清蒸鲈鱼",
    "麻婆豆腐",
    "番茄炒蛋",
    "土豆牛腩",
    "宫保鸡丁",
    "蒜蓉西兰花",
    "糖醋排骨",
    "酸辣土豆丝",
    "梅菜扣肉",
    "青椒肉丝",
    "冬瓜排骨汤",
    "香菇青菜",
    "鱼香茄子",
    "雪菜毛豆",
    "咖喱鸡块",
)


def everyday() -> Iterator[Letter]:
    """Yield all everyday letters, stream by stream."""
    streams = (
        _canteen,
        _weekly_report,
        _newsletter,
        _meetings,
        _birthdays,
        _notices,
        _office,
        _statements,
        _hotel,
        partners,
        _last_week,
    )
    for stream in streams:
        yield from stream()


def _canteen() -> Iterator[Letter]:
    for day in each(21):
        lines = [
            f"{name}：{'、'.join(some(_DISHES, 3, 'dish', day, name))}"
            for name in ("周一", "周二", "周三", "周四", "周五")
        ]
        yield Letter(
            key=f"canteen-{day}",
            sent=at(day, 8, 30, "canteen"),
            sender="canteen",
            to=["all"],
            subject=f"本周菜单（{day.month}月{day.day}日起）",
            topic="canteen",
            text="各位同事：\n\n本周菜单如下，请各部门周一上午十点前报人数。\n\n"
            + "\n".join(lines)
            + "\n\n食堂",
        )


def _weekly_report() -> Iterator[Letter]:
    for day in each(14, FIRST + timedelta(days=4)):
        won, open_offers = 1 + number(5, "won", day), 4 + number(9, "open", day)
        names = "、".join(some(PRODUCTS, 2, "report", day))
        yield Letter(
            key=f"report-{day}",
            sent=at(day, 16, 40, "report"),
            sender="zhou",
            to=["chen"],
            cc=["sales", "lina"],
            subject=f"销售周报 {day.year}年第{day.isocalendar()[1]}周",
            topic="report",
            text=f"陈总：\n\n本周新签 {won} 单，在谈报价 {open_offers} 个，询价集中在{names}。\n"
            f"回款 {18 + number(60, 'money', day)} 万元。下周重点："
            + pick(
                ("跟进北港船务", "安澜水务的投标文件", "展会样品", "催江海的毛坯", "整理价格表"),
                "next",
                day,
            )
            + "。\n\n周伟",
        )


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
        text = f"VALVE WEEKLY, No. {issue}\n\n{title}\n{line}\n\n{other}\n{more}\n\nTo unsubscribe answer with STOP."  # noqa: E501
        html = (
            f'<html><body style="font-family:sans-serif"><h1>Valve Weekly <small>{issue}</small></h1>'  # noqa: E501
            f"<h2>{title}</h2><p>{line}</p><h2>{other}</h2><p>{more}</p><hr>"
            "<p><small>To unsubscribe answer with STOP.</small></p></body></html>"
        )
        yield Letter(
            key=f"news-{issue}",
            sent=at(day, 18, 0, "news"),
            sender="valveweekly",
            to=["sales"],
            subject=f"Valve Weekly {issue}: {title}",
            text=text,
            html=html,
            topic="newsletter",
        )


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
            key=f"meeting-{day}",
            sent=at(day, 10, 10, "meeting"),
            sender="lina",
            to=["chen", "zhou", "wang", "liu"],
            cc=["sales"],
            attachments=[entry],
            subject=f"会议邀请：{title}（{later.month}月{later.day}日 {start.hour}:30）",
            topic="meeting",
            text=f"各位：\n\n{later.month}月{later.day}日 {start.hour}:30 在二楼会议室开{title}，请准时参加。\n\n李娜",  # noqa: E501
        )


def _birthdays() -> Iterator[Letter]:
    born = (
        ("孙磊", 1, 17),
        ("王芳", 3, 12),
        ("李娜", 4, 28),
        ("赵敏", 6, 9),
        ("周伟", 8, 21),
        ("刘洋", 9, 15),
        ("陈志远", 11, 20),
        ("黄丽", 12, 5),
    )
    for year in (2024, 2025, 2026):
        for name, month, dom in born:
            day = workday(date(year, month, dom))
            if FIRST <= day <= LAST:
                yield Letter(
                    key=f"birthday-{day}",
                    sent=at(day, 9, 20, "birthday"),
                    sender="huang",
                    to=["all"],
                    subject=f"生日快乐，{name}！",
                    topic="birthday",
                    text=f"各位同事：\n\n今天是{name}的生日，下午三点在茶水间切蛋糕，欢迎都来。🎂\n\n黄丽",
                )


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
            key=f"notice-{day}",
            sent=at(day, 14, 0, "notice"),
            sender="sun",
            to=["all"],
            subject=f"[IT 通知] {title}",
            text=f"各位同事：\n\n{line}\n\n孙磊 IT",
            topic="notice",
        )


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
            key=f"office-{day}",
            sent=at(day, 11, 0, "office"),
            sender="huang",
            to=["all"],
            subject=f"{title}（{day.month}月）",
            text=f"各位同事：\n\n{line}\n\n黄丽 人事行政",
            topic="office",
        )


def _statements() -> Iterator[Letter]:
    customers = ("安澜水务", "新源供水", "北港船务", "北风泵业", "鼎信流体")
    for day in each(30, FIRST + timedelta(days=25)):
        rows: list[list[object]] = [["客户", "应收（元）", "账龄（天）"]]
        rows += [
            [name, 1000 * (20 + number(300, "due", day, name)), 10 + number(80, "age", day, name)]
            for name in customers
        ]
        yield Letter(
            key=f"statement-{day}",
            sent=at(day, 15, 30, "statement"),
            sender="zhao",
            to=["sales"],
            cc=["chen"],
            subject=f"{day.month}月应收账款明细",
            attachments=[csv(f"应收{day:%Y%m}.csv", rows)],
            text=f"销售部：\n\n附件是{day.month}月的应收账款，账龄超过 60 天的请抓紧催。\n\n赵敏",
            topic="statement",
        )


def _hotel() -> Iterator[Letter]:
    for day in each(57, FIRST + timedelta(days=15)):
        later = day + timedelta(days=5)
        yield Letter(
            key=f"hotel-{day}",
            sent=at(day, 13, 15, "hotel"),
            sender="hotel",
            to=["lina"],
            topic="travel",
            subject=f"预订确认：云亭酒店 {later.month}月{later.day}日",
            text=f"李女士：\n\n您为陈志远先生预订的房间已确认，{later.month}月{later.day}日入住，一晚，"
            f"{380 + 20 * number(9, 'room', day)} 元。\n\n云亭酒店",
        )


def _last_week() -> Iterator[Letter]:
    """Life goes on in the week of 9 to 12 November, and after the deletion."""
    rows = (
        (
            9,
            10,
            20,
            "anlan",
            "sales",
            "蝶阀 12 台，地址更正",
            "请发到城西泵站，收货人还是我。\n\n何建国",
        ),
        (9, 14, 30, "xinyuan", "sales", "合格证收到", "合格证收到了，谢谢。货款本周付。\n\n唐静"),
        (
            10,
            9,
            10,
            "beigang",
            "sales",
            "DN200 软密封闸阀交期",
            "船期提前了，能不能 20 号前交？\n\n马文斌",
        ),
        (
            10,
            10,
            45,
            "jianghai",
            "sales",
            "11 月毛坯发货单",
            "DN80 阀体 60 件今天装车，珺琪随车。\n\n万昇玥",
        ),
        (11, 11, 20, "towa", "sales", "納期のご確認", "11月末で承知いたしました。\n\n佐藤健一"),
        (11, 15, 5, "dingxin", "sales", "樣品已收到", "樣品已收到，下週回覆。\n\n林佳蓉"),
        (12, 11, 35, "anlan", "sales", "请开增值税发票", "12 台蝶阀的发票请开专票。\n\n何建国"),
        (12, 18, 40, "beigang", "sales", "交期就定 20 号", "好的，就 20 号。\n\n马文斌"),
        (
            12,
            21,
            10,
            "flowfair",
            "sales",
            "FlowFair 2027: last places",
            "Dear exhibitor,\n\nthree stands are left.\n\nFlowFair",
        ),
    )
    for day, hour, minute, sender, to, subject, text in rows:
        letter = Letter(
            key=f"week-{day}-{hour:02d}{minute:02d}",
            sent=datetime(2026, 11, day, hour, minute, 11, tzinfo=CHINA),
            sender=sender,
            to=[to],
            subject=subject,
            text=text,
            topic="week",
        )
        yield letter
        if letter.key in _ANSWERS:
            by, later, words = _ANSWERS[letter.key]
            yield answer(
                letter,
                f"{letter.key}-2",
                by,
                letter.sent + timedelta(minutes=later, seconds=17),
                chinese=True,
                text=words,
            )


_ANSWERS = {
    "week-9-1020": ("sales.lina", 47, "何工：\n\n地址已经改好，明天发车。\n\n李娜"),
    "week-10-0910": ("sales.zhou", 132, "马经理：\n\n问过车间了，20 号之前可以交。\n\n周伟"),
    "week-11-1505": ("sales.lina", 28, "林小姐：\n\n好的，等您的消息。\n\n李娜"),
    "week-12-1135": ("sales.lina", 155, "何工：\n\n专票下午开出，随货寄出。\n\n李娜"),
}
"""Letter of that week -> who answers in the name of the sales department, after how many minutes."""  # noqa: E501
