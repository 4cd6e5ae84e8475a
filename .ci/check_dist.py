"""Check the contents of a wheel and a source distribution: python .ci/check_dist.py FOLDER, in a checkout."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

# A source distribution has all that the checkout has, except the settings of the place that hosts it.
HOSTING = (".github/", ".pre-commit-config.yaml")
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the one wheel and the one source distribution in a folder."""
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    tracked = {name for name in listed.split("\0") if name and not name.startswith(HOSTING)}
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()} - {"PKG-INFO"}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
        (about,) = (name for name in in_wheel if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(about))
        info = about.removesuffix("METADATA")
        vendored = {name: archive.read(name).decode() for name in in_wheel if "/vendor/" in name}
    package = {name for name in tracked if name.startswith("hf_spo/")}
    needed = {f"hf_spo/{model}/{name}" for model in ("default_model", "lite_model") for name in MODEL_FILES}
    needed |= package | {"hf_spo/py.typed", f"{info}licenses/LICENSE"}
    found = [
        *(f"the source distribution lacks {name}" for name in sorted(tracked - in_source)),
        *(f"the source distribution has {name}, which git does not know" for name in sorted(in_source - tracked)),
        *(f"the wheel lacks {name}" for name in sorted(needed - in_wheel)),
        *(f"the wheel has {name}" for name in sorted(in_wheel - package) if not name.startswith(info)),
        *(
            f"{name} lacks its licence"
            for name, text in vendored.items()
            if not re.search("Copyright.*Permission", text, re.S)
        ),
    ]
    if not vendored:
        found.append("the wheel has no vendored script")
    description = str(metadata.get_payload())
    links = re.findall(r"\]\(([^)]*)\)", description)
    found += [f"the description links {link}, which leads nowhere on an index" for link in links if ":" not in link]
    versions = {metadata["Version"], wheel.name.split("-")[1], source.name.removesuffix(".tar.gz").split("-")[1]}
    if len(versions) > 1:
        found.append(f"versions differ: {', '.join(sorted(versions))}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems(Path(sys.argv[1]))) or None)
