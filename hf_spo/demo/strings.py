"""The messages of the page in English and Chinese, and its example texts."""

from typing import Any, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# English and Chinese by key.
_STRINGS = {
    "tagline": (
        "Extract (subject, predicate, object) triples from text, each with its offsets and a score.",
        "从文本中抽取（主语、关系、宾语）三元组，每个三元组都带有原文位置和得分。",
    ),
    "text_tab": ("Text", "文本"),
    "file_tab": ("File", "文件"),
    "text": ("Text", "文本"),
    "text_placeholder": ("Type or paste a text …", "输入或粘贴一段文本……"),
    "extract": ("Extract triples", "抽取三元组"),
    "keys": ("Ctrl + Enter or Shift + Enter", "Ctrl + Enter 或 Shift + Enter"),
    "examples": ("Try:", "试一试："),
    "example_film": ("Film", "电影"),
    "example_song": ("Song", "歌曲"),
    "example_prize": ("Prize, with qualifiers", "获奖（带限定）"),
    "example_company": ("Company", "公司"),
    "example_long": ("Long text", "长文本"),
    "example_english": ("English", "英文"),
    "english_note": (
        "The packaged models were trained on Chinese text only. In English text they find few triples, and most of "
        "them are wrong. Use --model to choose a model that was trained on English text.",
        "内置模型只用中文训练，在英文文本中只能找到很少的三元组，而且大多是错的；可以用 --model 指定用英文训练的模型。",
    ),
    "settings": ("Settings", "设置"),
    "model": ("Model", "模型"),
    "model_info": ("base: accurate. lite: fast.", "base：更准；lite：更快。"),
    "border": ("Border threshold", "边界阈值"),
    "border_info": (
        "Higher: fewer but more reliable triples. 0: the model's own value.",
        "越高，结果越少、越可靠。0：模型自带的值。",
    ),
    "score": ("Score threshold", "得分阈值"),
    "score_info": (
        "Leaves out triples with a lower score. 0: the model's own value.",
        "不显示得分更低的三元组。0：模型自带的值。",
    ),
    "rules": ("Rules of the schema", "关系规则"),
    "rules_info": (
        "Leaves out triples that break the rules of the model's schema.",
        "去掉不符合模型关系规则的三元组。",
    ),
    "empty": (
        "Press “Extract triples” or choose an example. The triples appear here.",
        "点击“抽取三元组”，或选一个例子，结果会显示在这里。",
    ),
    "no_text": (
        "There is no text yet. Type one above, or choose an example.",
        "还没有文本；请在上方输入，或选一个例子。",
    ),
    "loading": ("Loading the model {model} …", "正在加载模型 {model}……"),
    "extracting": ("Extracting …", "正在抽取……"),
    "found": ("{triples} by {model} in {seconds} s", "{model} 找到 {triples}，用时 {seconds} 秒"),
    "one_triple": ("1 triple", "1 个三元组"),
    "many_triples": ("{count} triples", "{count} 个三元组"),
    "none_found": (
        "{model} found no triples in this text. Lower the thresholds, try another model, or choose an example of what "
        "it was trained on.",
        "{model} 在这段文本中没有找到三元组；可以调低阈值、换一个模型，或选一个例子看看它擅长什么。",
    ),
    "too_long": (
        "The text has {length} characters; the limit is {limit}. Shorten it, or use the tab “File”.",
        "文本有 {length} 个字符，上限为 {limit} 个；请缩短文本，或使用“文件”标签页。",
    ),
    "failed": ("Error: {reason}", "出错了：{reason}"),
    "sentence_heading": ("In the text", "原文标注"),
    "table_heading": ("Triples", "三元组"),
    "graph_heading": ("As a graph", "关系图"),
    "graph_part": (
        "{shown} of {total} facts: those between the most connected names",
        "共 {total} 条，显示连接最多的名称之间的 {shown} 条",
    ),
    "json_heading": ("JSON", "JSON"),
    "column_subject": ("Subject", "主语"),
    "column_subject_type": ("Subject type", "主语类型"),
    "column_predicate": ("Predicate", "关系"),
    "column_object": ("Object", "宾语"),
    "column_object_type": ("Object type", "宾语类型"),
    "column_qualifiers": ("Qualifiers", "限定"),
    "column_score": ("Score", "得分"),
    "column_offsets": ("Offsets", "位置"),
    "column_document": ("Document", "文档"),
    "file_note": (
        "A file of texts: .txt with one text a line, .jsonl, .json, .csv or .tsv with column names, .parquet. "
        "At most {megabytes} MB and {documents} documents of up to {characters} characters each.",
        "文本文件：.txt 每行一条；.jsonl 或 .json 为对象；.csv 或 .tsv 带表头；.parquet。"
        "最大 {megabytes} MB、{documents} 条，每条最多 {characters} 个字符。",
    ),
    "choose_file": ("Choose a file", "选择文件"),
    "text_column": ("Column or field with the text", "文本所在的列或字段"),
    "extract_file": ("Extract from the file", "抽取文件"),
    "empty_file": (
        "Choose a file. Progress, the first triples and the downloads appear here.",
        "选择一个文件，进度、部分结果和下载会显示在这里。",
    ),
    "file_too_large": (
        "The file has {size} MB; the limit is {limit}. Split it, or use hf-spo extract --input.",
        "文件大小为 {size} MB，上限为 {limit} MB；请拆分文件，或使用 hf-spo extract --input。",
    ),
    "file_progress": ("{done} documents read, {triples} so far", "已读 {done} 条，找到 {triples}"),
    "file_done": ("{name}: {triples} in {documents} documents", "{name}：{documents} 条文本，{triples}"),
    "file_cut": (
        "Only the first {limit} documents were read. hf-spo extract --input reads files of any size.",
        "只读了前 {limit} 条；hf-spo extract --input 可以处理任意大小的文件。",
    ),
    "file_bad": ("{count} could not be read:", "有 {count} 条无法读取："),
    "document_too_long": (
        "{length} characters; the limit is {limit}",
        "有 {length} 个字符，上限为 {limit} 个",
    ),
    "preview_heading": ("The first triples", "部分三元组"),
    "download_jsonl": ("Download JSONL", "下载 JSONL"),
    "download_csv": ("Download CSV", "下载 CSV"),
    "download_problems": ("Download unreadable records", "下载无法读取的记录"),
}


def say(language: Language, key: str, **values: Any) -> str:
    """Return a message in a language, with its values."""
    return _STRINGS[key][LANGUAGES.index(language)].format(**values)


def count_of_triples(language: Language, count: int) -> str:
    """Return the number of triples as text, such as "3 triples"."""
    return say(language, "one_triple" if count == 1 else "many_triples", count=f"{count:,}")


EXAMPLES = {
    "example_film": ("《远山的灯》由林小川执导，周一鸣、何雨晴主演，2019年5月1日在中国上映，票房超过3.2亿元。"),
    "example_song": ("《归途列车》是陈可人演唱的歌曲，由方子墨作词，顾南乔作曲，收录在专辑《北站》中。"),
    "example_prize": "凭借电影《白露》，何雨晴在2021年获得第12届金桂奖最佳女主角。",
    "example_company": "启明星科技有限公司成立于2012年8月16日，总部位于青川市，注册资本5000万元，现任董事长为梁思齐。",
    "example_long": (
        "《长河落日》是一部36集的电视剧，由高明远执导，编剧是许知秋，郑一凡、白露、江小渔领衔主演，出品公司是云帆影视传媒"
        "有限公司。郑一凡在剧中饰演水文站站长老秦，白露饰演他的妻子秀兰。该剧改编自许知秋的同名小说，于2020年10月1日上映。"
        "主题曲《河边的人》由丁零演唱，作词许知秋，作曲马小军。郑一凡1975年出生，毕业于北滨戏剧学院，他的父亲是话剧演员"
        "郑大山，母亲是医生李素琴。白露，祖籍安河省，曾凭借电影《夜航》获得第9届银鸥奖最佳女演员。云帆影视传媒有限公司成立于"
        "2009年4月，总部位于海门市，创始人是罗一舟。"
    ),
    "example_english": "“Harbour Lights” is a 2016 film directed by Mira Kolstad, starring Jonas Vell and Ada Renn.",
}
"""Example texts by the key of their button. Their people, works and companies do not exist."""
