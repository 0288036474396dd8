"""The people, companies and machines of the incident. All are invented."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["COMPANIES", "MACHINES", "PEOPLE", "STAFF", "Company", "Person"]


@dataclass(frozen=True, slots=True)
class Company:
    """Who runs a domain: its mail host, the address of it, and how it writes Message-IDs."""

    domain: str
    host: str
    address: str
    zone: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes: name as shown, address, character set, client, and his machine."""

    name: str
    address: str
    charset: str = "utf-8"
    label: str = "UTF-8"
    agent: str = ""
    machine: str = ""

    @property
    def domain(self) -> str:
        """The part of the address after the @."""
        return self.address.partition("@")[2]


THUNDERBIRD = "Mozilla Thunderbird"
WEBMAIL = "Huayang Webmail 3.2"

COMPANIES = MappingProxyType(
    {
        entry.domain: entry
        for entry in (
            Company("huayang.example", "mail.huayang.example", "10.0.1.5", "+0800"),
            Company("nordwind.example", "mx1.nordwind.example", "192.0.2.25", "+0100"),
            Company("jianghai.example", "smtp.jianghai.example", "203.0.113.40", "+0800"),
            Company("dingxin.example", "mail.dingxin.example", "198.51.100.17", "+0800"),
            Company("towa.example", "mx.towa.example", "198.51.100.88", "+0900"),
            Company("blueharbor.example", "out.blueharbor.example", "203.0.113.9", "+0800"),
            Company("anlan.example", "mail.anlan.example", "203.0.113.71", "+0800"),
            Company("xinyuan-water.example", "mx.xinyuan-water.example", "203.0.113.130", "+0800"),
            Company("beigang.example", "mail.beigang.example", "203.0.113.201", "+0800"),
            Company("valveweekly.example", "news.valveweekly.example", "198.51.100.140", "+0000"),
            Company("flowfair.example", "mail.flowfair.example", "198.51.100.201", "+0100"),
            Company("cheapseals.example", "bulk7.cheapseals.example", "203.0.113.250", "+0000"),
            Company("yunting-hotel.example", "mx.yunting-hotel.example", "203.0.113.55", "+0800"),
        )
    }
)

PEOPLE = MappingProxyType(
    {
        "chen": Person(
            "陈志远", "chen.zhiyuan@huayang.example", agent=WEBMAIL, machine="10.0.4.11"
        ),
        "lina": Person("李娜", "li.na@huayang.example", agent=THUNDERBIRD, machine="10.0.4.21"),
        "zhou": Person("周伟", "zhou.wei@huayang.example", agent=THUNDERBIRD, machine="10.0.4.17"),
        "wang": Person(
            "王芳", "wang.fang@huayang.example", "gb18030", "gb18030", "Kuaixin 7.2", "10.0.5.8"
        ),
        "liu": Person("刘洋", "liu.yang@huayang.example", "gbk", "GBK", "Kuaixin 7.2", "10.0.6.3"),
        "zhao": Person("赵敏", "zhao.min@huayang.example", agent=WEBMAIL, machine="10.0.3.12"),
        "sun": Person("孙磊", "sun.lei@huayang.example", agent=THUNDERBIRD, machine="10.0.1.40"),
        "huang": Person("黄丽", "huang.li@huayang.example", agent=WEBMAIL, machine="10.0.3.30"),
        "canteen": Person(
            "食堂", "canteen@huayang.example", "gbk", "gb2312", "Kuaixin 7.2", "10.0.7.2"
        ),
        "sales": Person("华阳阀门销售部", "sales@huayang.example", agent=WEBMAIL),
        "sales.zhou": Person(
            "周伟", "sales@huayang.example", agent=THUNDERBIRD, machine="10.0.4.17"
        ),
        "sales.chen": Person("陈志远", "sales@huayang.example", agent=WEBMAIL, machine="10.0.4.11"),
        "sales.lina": Person("李娜", "sales@huayang.example", agent=WEBMAIL, machine="10.0.4.21"),
        "all": Person("全体员工", "all@huayang.example"),
        "vogel": Person("Katrin Vogel", "k.vogel@nordwind.example", machine="10.20.3.14"),
        "lund": Person("Henrik Lund", "h.lund@nordwind.example", machine="10.20.5.7"),
        "okafor": Person("Miriam Okafor", "m.okafor@nordwind.example", machine="10.20.2.40"),
        "petersen": Person("Jonas Petersen", "j.petersen@nordwind.example", machine="10.20.6.22"),
        "jianghai": Person(
            "万昇玥", "sales@jianghai.example", "gbk", "gb2312", "Kuaixin 6.5", "10.8.1.3"
        ),
        "dingxin": Person(
            "林佳蓉", "chiajung@dingxin.example", "big5", "Big5", "Postbote 2.1", "10.9.0.31"
        ),
        "towa": Person(
            "佐藤健一", "k.sato@towa.example", "iso2022_jp", "ISO-2022-JP", "Hidane 4", "10.12.4.4"
        ),
        "blueharbor": Person(
            "Blue Harbor Logistics", "desk@blueharbor.example", machine="10.7.7.7"
        ),
        "anlan": Person("何建国", "he.jianguo@anlan.example", machine="10.3.0.9"),
        "xinyuan": Person(
            "唐静",
            "tangjing@xinyuan-water.example",
            "gb18030",
            "gb18030",
            "Kuaixin 7.2",
            "10.3.2.5",
        ),
        "beigang": Person("马文斌", "ma.wenbin@beigang.example", machine="10.6.1.18"),
        "valveweekly": Person("Valve Weekly", "letter@valveweekly.example", machine="10.1.1.1"),
        "flowfair": Person("FlowFair Team", "exhibitors@flowfair.example", machine="10.1.1.2"),
        "cheapseals": Person("Best Seals Direct", "offer@cheapseals.example", machine="10.1.1.3"),
        "hotel": Person(
            "云亭酒店", "booking@yunting-hotel.example", "gbk", "GBK", "Tongda 5", "10.1.1.4"
        ),
    }
)

STAFF = ("chen", "lina", "zhou", "wang", "liu", "zhao", "sun", "huang")
"""Who has a mailbox of his own at Huayang Valve."""

MACHINES = MappingProxyType({"sales-phone": "10.8.0.5", "server": "10.0.1.5"})
"""Machines that belong to nobody: the director's telephone on the VPN, the mail server."""
