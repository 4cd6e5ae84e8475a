"""The same twenty texts give the same graph, whichever library builds it."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from hf_spo.cli import app
from tests.cli.command_line import write_rows

for library in ("llama_index.core", "langchain_neo4j", "neo4j_graphrag"):
    pytest.importorskip(library)

SENTENCES = [
    "《远山的灯》由林小川执导，周一鸣、何雨晴主演。",
    "《云上的河》是由陈默执导，吴桐编剧，赵一帆主演的电影。",
    "李思远，男，汉族，1962年3月出生于山东青岛，毕业于北京大学。",
    "《夜航船》是作家沈青的长篇小说，由东岸出版社出版。",
    "王若兰的丈夫张启明是一名医生。",
    "《晚风》是歌手许念演唱的歌曲，由方以文作词，收录在专辑《旧站台》中。",
    "远帆科技有限公司成立于2004年5月，董事长是何建国。",
    "今天天气很好。",
    "远山的灯是一部剧情片，导演林小川凭借该片成名。",
    "周一鸣主演的电影《雨季》在上海取得了3000万的票房。",
    "何雨晴，1990年出生于四川成都，演员，毕业于中央戏剧学院。",
    "许念演唱的《晚风》由方以文作词、郑天作曲。",
    "沈青是《夜航船》和《石桥》的作者。",
    "电视剧《长街》改编自沈青的同名小说，由林小川执导。",
    "何建国是远帆科技有限公司的创始人，公司总部位于杭州。",
    "陈默和妻子吴桐育有一子陈小默。",
    "青川县隶属于四川省，面积3216平方千米。",
    "南湖大学创办于1952年，现任校长是刘正。",
    "周一鸣在《长街》中饰演男主角顾北。",
    "Blue River由Anna Lee执导，２０１９年上映。",
]
IDS = [f"text{number}" for number in range(1, 21)]
MODEL = "base"


def statements(facts):
    """Return what states each fact: documents, offsets and qualifiers, and scores up to the error of batches."""
    read = [(fact, json.loads(one)) for fact, properties in facts for one in properties["evidence"]]
    return {
        (*fact, one["document"], *one["subject"], *one["object"], str(one.get("qualifiers")), round(one["score"], 3))
        for fact, one in read
    }


@pytest.fixture(scope="module")
def by_the_command_line(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graph")
    texts = [{"id": name, "text": text} for name, text in zip(IDS, SENTENCES, strict=True)]
    source, triples, script = (
        write_rows(folder / "texts.jsonl", texts),
        folder / "triples.jsonl",
        folder / "graph.cypher",
    )
    for command in (
        ["extract", "--model", MODEL, "--device", "cpu", "--input", str(source), "--output", str(triples)],
        ["graph", str(triples), "--output", str(script)],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    rows = json.loads(script.with_suffix(".params.json").read_text(encoding="utf-8"))
    listed = [row for name, part in rows.items() if name.startswith("nodes") for row in part]
    nodes = {row["id"]: (row["properties"]["type"], row["properties"]["name"]) for row in listed}
    facts = [
        ((nodes[row["subject"]], row["properties"]["predicate"], nodes[row["object"]]), row["properties"])
        for name, part in rows.items()
        if name.startswith("facts")
        for row in part
    ]
    assert len(facts) > 25
    return set(nodes.values()), {fact for fact, _ in facts}, statements(facts)


def test_llama_index(by_the_command_line):
    from llama_index.core import PropertyGraphIndex
    from llama_index.core.graph_stores.types import KG_RELATIONS_KEY
    from llama_index.core.schema import TextNode

    from hf_spo.integrations.llama_index import SpoPathExtractor

    extractor = SpoPathExtractor(model=MODEL, device="cpu")
    chunks = [TextNode(id_=name, text=text) for name, text in zip(IDS, SENTENCES, strict=True)]
    index = PropertyGraphIndex(nodes=chunks, kg_extractors=[extractor], embed_kg_nodes=False, use_async=False)
    graph = index.property_graph_store.graph
    # Entities have no identity but their names there: 长街 is a novel and a series, which the relations tell.
    stored = {
        (
            (relation.properties["subject_type"], subject.name),
            relation.label,
            (relation.properties["object_type"], value.name),
        )
        for subject, relation, value in graph.get_triplets()
    }
    nodes = {node for subject, _, value in stored for node in (subject, value)}
    names = {node.name for node in graph.nodes.values() if node.label != "text_chunk"}
    assert names == {name for _, name in nodes}
    again = extractor([TextNode(id_=name, text=text) for name, text in zip(IDS, SENTENCES, strict=True)])
    stated = statements(
        (((p["subject_type"], r.source_id), r.label, (p["object_type"], r.target_id)), p)
        for chunk in again
        for r in chunk.metadata[KG_RELATIONS_KEY]
        for p in (r.properties,)
    )
    assert (nodes, stored, stated) == by_the_command_line


def test_langchain(by_the_command_line):
    from langchain_core.documents import Document

    from hf_spo.integrations.langchain import SpoGraphTransformer

    documents = [Document(page_content=text, id=name) for name, text in zip(IDS, SENTENCES, strict=True)]
    graph = SpoGraphTransformer(MODEL, device="cpu").convert_to_graph_documents(documents)
    nodes = {(node.type, node.id) for one in graph for node in one.nodes}
    facts = [
        (((r.source.type, r.source.id), r.type, (r.target.type, r.target.id)), r.properties)
        for one in graph
        for r in one.relationships
    ]
    assert (nodes, {fact for fact, _ in facts}, statements(facts)) == by_the_command_line


def test_neo4j_graphrag(by_the_command_line):
    from neo4j_graphrag.components.types import TextChunk, TextChunks
    from neo4j_graphrag.experimental.pipeline import Pipeline

    from hf_spo.integrations.neo4j_graphrag import SpoEntityRelationExtractor

    pipeline = Pipeline()
    pipeline.add_component(SpoEntityRelationExtractor(MODEL, device="cpu", create_lexical_graph=False), "extractor")
    chunks = [TextChunk(text=text, index=i, uid=IDS[i]) for i, text in enumerate(SENTENCES)]
    result = asyncio.run(pipeline.run({"extractor": {"chunks": TextChunks(chunks=chunks)}})).result
    graph = result["extractor"]
    # A resolver of the library would merge the nodes of equal label and name.
    nodes = {node["id"]: (node["label"], node["properties"]["name"]) for node in graph["nodes"]}
    facts = [
        ((nodes[r["start_node_id"]], r["type"], nodes[r["end_node_id"]]), r["properties"])
        for r in graph["relationships"]
    ]
    assert (set(nodes.values()), {fact for fact, _ in facts}, statements(facts)) == by_the_command_line
