"""What was done to a message, in English and Chinese, for whoever reads the truth table."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["why"]

_WORDS = MappingProxyType(
    {
        "live": ("Nothing was done to it.", "没有被动过。"),
        "burst": (
            "Expunged from the sales mailbox on 12 November 2026 at 17:42 to 17:43 from 10.0.4.17.",
            "2026 年 11 月 12 日 17:42 至 17:43 从 10.0.4.17 在销售邮箱中被彻底删除。",
        ),
        "key": (
            "The letter in which the sales director accepts the penalty: only the answer to it and "
            "lines of the log tell of it.",
            "销售总监承认违约金的那封信：只有对方的回信和日志能证明它存在过。",
        ),
        "known_by_log": (
            "Only lines of the log tell of it.",
            "只有服务器日志能证明它存在过。",
        ),
        "known_by_reply": (
            "Only letters that answer it tell of it.",
            "只有回复它的邮件能证明它存在过。",
        ),
        "stale_uid": (
            "Gone before Monday; Monday's list of UIDs (dovecot-uidlist) still names its file.",
            "周一之前已删除；周一备份里的 UID 列表（dovecot-uidlist）还留着它的文件名。",
        ),
        "sales_move_trash": (
            "Moved to Trash between the two copies.",
            "在两份备份之间被移到废件箱。",
        ),
        "sales_move_archive": (
            "Moved to Archive between the two copies: the log shows an expunge, yet it is live.",
            "在两份备份之间被移到归档：日志里有删除记录，但邮件还在。",
        ),
        "sales_expunge": (
            "Expunged one by one on an ordinary day, as the log shows.",
            "平常日子里被逐封彻底删除，日志可查。",
        ),
        "sales_mark": (
            "Marked as deleted on 12 November, not yet expunged.",
            "11 月 12 日被标记为删除，尚未清除。",
        ),
        "sales_trash_before": (
            "Lies in Trash since October.",
            "十月起就在废件箱里。",
        ),
        "between_the_copies": (
            "It came after Monday's copy and was gone before Friday's: neither holds it.",
            "周一备份之后收到，周五备份之前消失：两份备份里都没有。",
        ),
        "li_na_trash": (
            "Li Na moved her copy to Trash.",
            "李娜把自己的一份移到了废件箱。",
        ),
        "li_na_expunged": (
            "Deleted in Li Na's Thunderbird, the folder not compacted: its bytes are still there.",
            "在李娜的 Thunderbird 中被删除，文件夹未压缩，内容仍在。",
        ),
        "li_na_moved": (
            "Li Na moved it to her archives: marked in the Inbox, live in the archive.",
            "李娜把它移到了归档：收件箱里有删除标记，归档里还在。",
        ),
        "li_na_live": (
            "Li Na still has her copy.",
            "李娜那里还有一份。",
        ),
        "stick_whole": (
            "An exported copy was deleted from the USB stick; its blocks are untouched.",
            "U 盘上导出的一份被删除，数据块未被覆盖。",
        ),
        "stick_part": (
            "An exported copy was deleted from the USB stick; later files lie over its end.",
            "U 盘上导出的一份被删除，后半部分已被别的文件覆盖。",
        ),
        "stick_live": (
            "An exported copy is on the USB stick.",
            "U 盘上有导出的一份。",
        ),
        "chen_live": (
            "The sales director still has his copy in his Outlook archive.",
            "销售总监的 Outlook 存档里还有一份。",
        ),
        "chen_trash": (
            "The sales director moved his copy to the deleted items of his Outlook archive.",
            "销售总监把自己的一份移到了 Outlook 存档的已删除邮件。",
        ),
        "chen_gone": (
            "Deleted for good in the sales director's Outlook archive; its blocks are untouched.",
            "在销售总监的 Outlook 存档中被彻底删除，数据块未被覆盖。",
        ),
        "chen_gone_part": (
            "Deleted for good in the sales director's Outlook archive; other bytes lie where its "
            "attachment was.",
            "在销售总监的 Outlook 存档中被彻底删除，附件所在的数据块已被覆盖。",
        ),
    }
)
_ENDS = MappingProxyType(
    {
        "whole": ("It can come back whole.", "可以完整恢复。"),
        "part": ("It can come back in part.", "可以部分恢复。"),
        "traces": ("Of the deleted copy only traces are left.", "被删的那份只剩痕迹。"),
        "live": ("", ""),
    }
)


def why(done: str, recovery: str) -> tuple[str, str]:
    """Return the sentences for the codes of ``what_was_done``, in English and Chinese."""
    pairs = [*(_WORDS[code] for code in done.split()), _ENDS[recovery]]
    return " ".join(pair[0] for pair in pairs).strip(), "".join(pair[1] for pair in pairs)
