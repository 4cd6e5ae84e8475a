"""Write rows whose annotated_predicates is the name of a list with the list itself.

    python name_predicates.py NAMED.json ROWS.jsonl... OUTPUT_FOLDER [--positives-only NAME...]

NAMED.json is an object of lists of predicates by name. Labels of rows of a list under --positives-only are right but
have gaps: they are complete for no predicate.
"""

import argparse
import json
from pathlib import Path


def main() -> None:
    """Read the arguments, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("named", type=Path)
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("output", type=Path)
    parser.add_argument("--positives-only", nargs="+", default=[], metavar="NAME")
    options = parser.parse_args()
    named = json.loads(options.named.read_text(encoding="utf-8")) | {name: [] for name in options.positives_only}
    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.rows:
        with path.open(encoding="utf-8") as source, (options.output / path.name).open("w", encoding="utf-8") as target:
            for line in source:
                row = json.loads(line)
                row["annotated_predicates"] = named[row["annotated_predicates"]]
                target.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
