"""All that the page says, in both of its languages."""

from typing import Any, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# English and Chinese by key.
_STRINGS = {
    "tagline": (
        "Triples from text: who relates to what, and how. Each is found in the sentence, with its place and a score.",
        "从文本中抽取三元组：谁与什么、是什么关系。每个三元组都带有原文位置和得分。",
    ),
    "text_tab": ("One text", "单条文本"),
    "file_tab": ("A file", "批量文件"),
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
        "The packaged models have learnt from Chinese sentences alone. Of English they find little, and little of it "
        "is right; a model trained on English text can be named with --model.",
        "内置模型只用中文句子训练，对英文只能找到很少的三元组，且不可靠；用英文语料训练的模型可以通过 --model 指定。",
    ),
    "settings": ("Settings", "设置"),
    "model": ("Model", "模型"),
    "model_info": ("base: accurate. lite: fast.", "base：更准；lite：更快。"),
    "border": ("Border threshold", "边界阈值"),
    "border_info": (
        "Higher: fewer, surer triples. 0: the model's own.",
        "越高，结果越少、越可靠。0：模型自带的值。",
    ),
    "score": ("Score threshold", "得分阈值"),
    "score_info": (
        "Triples that score less are left out. 0: the model's own.",
        "低于此得分的不显示。0：模型自带的值。",
    ),
    "rules": ("Rules of the schema", "关系规则"),
    "rules_info": ("Leave out what the model's schema rules out.", "去掉不符合模型关系规则的三元组。"),
    "empty": (
        "Press “Extract triples”, or choose an example: the triples appear here.",
        "点击“抽取三元组”，或选一个例子，结果会显示在这里。",
    ),
    "no_text": (
        "There is no text yet; type one above, or choose an example.",
        "还没有文本；请在上方输入，或选一个例子。",
    ),
    "loading": ("Loading the model {model} …", "正在加载模型 {model}……"),
    "extracting": ("Extracting …", "正在抽取……"),
    "found": ("{triples} by {model} in {seconds} s", "{model} 找到 {triples}，用时 {seconds} 秒"),
    "one_triple": ("1 triple", "1 个三元组"),
    "many_triples": ("{count} triples", "{count} 个三元组"),
    "none_found": (
        "{model} found no triples in this text; lower the thresholds, try another model, or choose an example to see "
        "what it was trained for.",
        "{model} 在这段文本中没有找到三元组；可以调低阈值、换一个模型，或选一个例子看看它擅长什么。",
    ),
    "too_long": (
        "The text has {length} characters, and at most {limit} are read here; shorten it, or use the tab “A file”.",
        "文本有 {length} 个字符，这里最多 {limit} 个；请缩短文本，或用“批量文件”逐行处理。",
    ),
    "failed": ("This did not work: {reason}", "出错了：{reason}"),
    "sentence_heading": ("In the text", "原文标注"),
    "table_heading": ("Triples", "三元组"),
    "graph_heading": ("As a graph", "关系图"),
    "graph_part": (
        "{shown} of {total} facts, between the most connected names",
        "共 {total} 条，显示连接最多的 {shown} 条",
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
        "A file of texts: .txt, one a line; .jsonl or .json, objects; .csv or .tsv with column names; .parquet. "
        "At most {megabytes} MB and {documents} documents, each of up to {characters} characters.",
        "文本文件：.txt 每行一条；.jsonl 或 .json 为对象；.csv 或 .tsv 带表头；.parquet。"
        "最大 {megabytes} MB、{documents} 条，每条最多 {characters} 个字符。",
    ),
    "choose_file": ("Choose a file", "选择文件"),
    "text_column": ("Column or field with the text", "文本所在的列或字段"),
    "extract_file": ("Extract from the file", "抽取文件"),
    "empty_file": (
        "Choose a file: progress, the first triples and the downloads appear here.",
        "选择一个文件，进度、部分结果和下载会显示在这里。",
    ),
    "file_too_large": (
        "The file has {size} MB, and at most {limit} are read here; split it, or use hf-spo extract --input.",
        "文件大小为 {size} MB，这里最多 {limit} MB；请拆分文件，或使用 hf-spo extract --input。",
    ),
    "file_progress": ("{done} documents read, {triples} so far", "已读 {done} 条，找到 {triples}"),
    "file_done": ("{name}: {triples} in {documents} documents", "{name}：{documents} 条文本，{triples}"),
    "file_cut": (
        "Only the first {limit} documents were read; hf-spo extract --input reads files of any size.",
        "只读了前 {limit} 条；hf-spo extract --input 可以处理任意大小的文件。",
    ),
    "file_bad": ("{count} could not be read:", "有 {count} 条无法读取："),
    "document_too_long": (
        "{length} characters, and at most {limit} are read here",
        "有 {length} 个字符，这里最多 {limit} 个",
    ),
    "preview_heading": ("The first triples", "部分三元组"),
    "download_jsonl": ("Download JSONL", "下载 JSONL"),
    "download_csv": ("Download CSV", "下载 CSV"),
    "download_problems": ("Download what could not be read", "下载无法读取的行"),
}


def say(language: Language, key: str, **values: Any) -> str:
    """Return a string of the page, with its values filled in."""
    return _STRINGS[key][LANGUAGES.index(language)].format(**values)


def count_of_triples(language: Language, count: int) -> str:
    """Return a number of triples in words."""
    return say(language, "one_triple" if count == 1 else "many_triples", count=f"{count:,}")
