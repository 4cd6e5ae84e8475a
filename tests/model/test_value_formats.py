"""Formats of values: what passes for one date or one number, and what runs on into the sentence."""

import pytest

from hf_spo.model.value_formats import ObjectFormat, has_format

DATES = [
    "1998年", "1998年5月3日", "1998 年 5 月 3 日", "5月3日", "5月20号", "五十年代", "20世纪五十年代",
    "上世纪70年代", "二十一世纪", "一九九八年", "二〇〇三年五月一日", "二〇〇三", "1971年元月八日", "腊月初八",
    "民国三十八年", "公元前221年", "贞观三年", "贞观年间", "清同治十一年（1872年）", "南宋末年", "战国时期", "清代",
    "2012年初", "2012年夏", "9月上旬", "2015年第三季度", "去年", "昨天", "周五", "约1998年", "成立于2002年",
    "2013年成立", "1998年，", "（1998年", "5月3日至6月1日", "6月27至9月5日", "1997-2003",
    "1997年11月18日至1998年03月24日", "2003-05-01", "2003/5/1", "2003.5", "12/05/1998", "20030501", "1998",
    "1998-05-03T20:30:00", "May 3, 1998", "3 May 1998", "May 3rd, 1998", "in July 1998", "1990s",
    "the 19th century", "the 5th century BC", " 1998年 ",
]  # fmt: skip
NO_DATES = [
    "", " ", "年", "海边", "三千万", "70%", "12个", "2006年4月12日首播：2006年7月",
    "1998年由何雨晴创办，后于2003年改名", "1951年，这里改为学校（1953年得名，最初为1949年", "March of the Penguins",
    "May we go on 1 May", "1998年的苏州",
    "1" * 30,
]  # fmt: skip
NUMBERS = [
    "0", "1,234.5", "１２３", "１，０００元", "三千万", "两百", "几十", "半", "一亿", "零点五", "1万3千4百平方公里",
    "数百万", "20余亩", "5000多平方米", "约6平方公里", "人民币3280万元", "占地面积1050亩", "4000米以上", "113220㎡",
    "70%", "百分之七十", "三分之一", "3/4", "-3.5℃", "10-20万元", "第八", "三年", "6200亩，",
    "2.5亿美元（约16亿元）", "$3.5", "US$5 million", "5,000 square kilometres", "about 20 km²",
]  # fmt: skip
NO_NUMBERS = [
    "", "很多", "平方公里", "海边", "20亿元大关，另一部票房17.2亿元", "11800亩的村庄",
    "面积370平方公里岛屿面积约124平方公里", "483万元，占地面积15000平方米",
]  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_dates(text):
    assert has_format(text, ObjectFormat.DATE)


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date(text):
    assert not has_format(text, ObjectFormat.DATE)


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text):
    assert has_format(text, ObjectFormat.NUMBER)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number(text):
    assert not has_format(text, ObjectFormat.NUMBER)


@pytest.mark.parametrize("name", list(ObjectFormat))
@pytest.mark.parametrize(
    "piece", ["1", "十", "1年", "1年至", "May ", "1 May ", "1, ", "2003-1 ", "千万", "a ", "春", "(1)"]
)
def test_a_long_mention_is_answered_whatever_it_repeats(name, piece):
    # What could be split in many ways would take longer than the universe has.
    assert not has_format(500 * piece + "！？", name)
