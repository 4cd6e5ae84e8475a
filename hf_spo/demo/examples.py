"""Texts to begin with, by the key of what they are called. Their people, works and companies do not exist."""

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
