"""Full text of subjects, people, attachment names and bodies, Chinese words of two signs included.

An index is one SQLite file (FTS5, contentless: it holds no second copy of the bodies). Text is
folded before it is indexed: case, width (NFKC) and accents; traditional and simplified Chinese
signs are *not* taken for each other. Chinese, Japanese and Korean are indexed as overlapping pairs
of signs, so that any run of signs is found, also one sign alone.
"""

from __future__ import annotations

from mailforensics.search.excerpt import surroundings
from mailforensics.search.filters import filter_frame
from mailforensics.search.index import Hit, IndexWriter, find
from mailforensics.search.query import Query, parse

__all__ = ["Hit", "IndexWriter", "Query", "filter_frame", "find", "parse", "surroundings"]
