"""Formats of dates and numbers, in Chinese and western writing.

They find mentions that run on into the sentence ("20亿元大关，另一部票房17.2亿元"). Words that annotators include in
a value ("成立于2002年", "约6平方公里") are allowed.
"""

import re
from enum import StrEnum


class ObjectFormat(StrEnum):
    """Kinds of values."""

    DATE = "date"
    NUMBER = "number"


_HAN = "[\u3400-\u7683\u7685-\u9fff]"  # without 的, after which a sentence goes on
_NUMERALS = "〇○零一二三四五六七八九十百千廿卅"

# In verbose mode. Digits of two parts never touch, so that no text can be split in many ways.
_DATE_PART = rf"""(?:
    (?: (?<!\d)\d{{1,4}} | [{_NUMERALS}]{{1,4}} | [元正腊冬本翌同当去今明次] ) \s*
    (?: 世纪 | 年代 | 年 | 月份? | 日 | 号 | 季度 | 时 | 点 | 分 | 秒 )                # 1998年, 五十年代, 5月3日, 元月
  | 初 [{_NUMERALS}] | (?<!\d) \d{{1,2}} (?= \s* [-–—~～至到] )                       # 6月27至30日
  | (?: 星期 | 周 | 礼拜 ) [一二三四五六日天] | [昨今明前后] [天日] | [春夏秋冬]
  | (?<!\d) \d{{4}} \s* [-./] \s* \d{{1,2}} (?: \s* [-./] \s* \d{{1,2}} )? (?!\d)      # 2003-05-01, 2003.5
  | (?<!\d) \d{{1,2}} [-./] \d{{1,2}} [-./] \d{{4}} (?!\d)                             # 01/05/2003
  | (?: (?<!\d) \d{{1,2}} (?:st|nd|rd|th)? \s+ (?:of\s+)? )?
    (?: Jan | Feb | Mar | Apr | May | Jun | Jul | Aug | Sep | Oct | Nov | Dec ) [a-z]{{0,6}} \.?
    (?: \s+ \d{{1,2}} (?:st|nd|rd|th)? (?!\d) )?                                       # 1 May 2003, May 1st, 2003
  | (?<!\d) \d{{1,2}} (?:st|nd|rd|th) \s century
  | (?<!\d) \d{{1,2}} : \d{{2}} (?: : \d{{2}} )? (?!\d)
  | (?<!\d) (?: \d{{8}} | \d{{6}} | \d{{4}} s? ) (?!\d) | [{_NUMERALS}]{{4}}           # 20030501, 1998, 1990s, 一九九八
)"""
_DATE = rf"""[(（]?
    (?: (?: {_HAN}{{0,6}} | (?:[A-Za-z.]{{1,6}}\s+){{0,2}} ) \s*
        {_DATE_PART} (?: (?: \s* (?: [-–—~～/、,T] | 至 | 到 | 及 | 和 | to | and ) )? \s* {_DATE_PART} ){{0,9}}
        (?: \s* (?: BCE? | CE | AD ) | \s* {_HAN}{{0,4}} ) (?: [(（] [^()（）]{{1,12}} [)）] )?
      | {_HAN}{{1,8}} (?: 年间 | 初年 | 末年 | 时期 | 时代 | [初末朝代] ) )           # 贞观年间, 南宋末年
"""
_NUMBER = rf"""
    (?: {_HAN}{{0,6}} | [A-Za-z.\s]{{0,16}} ) \s* [$¥￥€£<>≈±+-]? \s*
    [\d{_NUMERALS}两几数半] [\d{_NUMERALS}两几数半万亿兆余多来点,，.\s]*               # 1,234.5, 三千万, 1万3千, 20余
    (?: [-–—~～至到/] [\d{_NUMERALS}两几数半万亿兆余多来点,，.\s]+ )?
    (?: [A-Za-z%％‰℃°²³㍱-㏟/.\s]{{0,24}} {_HAN}{{0,8}} ) (?: [(（] [^()（）]{{1,12}} [)）] )?
"""
_PATTERNS = {
    name: re.compile(pattern + r"[\s，,；;。]*", re.VERBOSE)
    for name, pattern in ((ObjectFormat.DATE, _DATE), (ObjectFormat.NUMBER, _NUMBER))
}


def has_format(text: str, name: ObjectFormat) -> bool:
    """Return whether a whole mention is one date or range of dates, or one number; trailing punctuation is ignored."""
    return _PATTERNS[name].fullmatch(text.strip()) is not None
