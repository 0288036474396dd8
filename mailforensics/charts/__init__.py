"""Figures for the timeline: each with a title that says the finding and a sentence below it."""

from __future__ import annotations

from mailforensics.charts.activity import activity
from mailforensics.charts.actors import who_deleted
from mailforensics.charts.burst import deletion_burst
from mailforensics.charts.chart import Chart
from mailforensics.charts.filemap import file_map
from mailforensics.charts.space import say_size

__all__ = ["Chart", "activity", "deletion_burst", "file_map", "say_size", "who_deleted"]
