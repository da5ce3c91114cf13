#!/usr/bin/env python3
"""Writes core/src/config/imagenet_labels.cc from torchvision's list of ImageNet-1k class names.

    apt-get download python3-torchvision && dpkg-deb -x python3-torchvision_*.deb torchvision
    scripts/generate_imagenet_labels.py \
        torchvision/usr/lib/python3/dist-packages/torchvision/models/_meta.py

torchvision is BSD-3-Clause, copyright Soumith Chintala and contributors.
"""

import ast
import pathlib
import sys

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "core/src/config/imagenet_labels.cc"
WIDTH = 100


def read_names(path):
    for node in ast.parse(pathlib.Path(path).read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_IMAGENET_CATEGORIES":
            return ast.literal_eval(node.value)
    sys.exit(f"{path}: no _IMAGENET_CATEGORIES; is it torchvision/models/_meta.py?")


def string_literals(names):
    """The names as C++ string literals, several to a line."""
    line = '    "'
    for name in names:
        piece = name.replace("\\", "\\\\").replace('"', '\\"') + "\\n"
        if len(line) + len(piece) + 1 > WIDTH:
            yield line + '"'
            line = '    "'
        line += piece
    yield line + '"'


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    names = read_names(sys.argv[1])
    if len(names) != 1000:
        sys.exit(f"{len(names)} names, expected 1000")
    OUTPUT.write_text(
        "// Made by scripts/generate_imagenet_labels.py from torchvision/models/_meta.py (BSD-3-Clause,\n"
        "// copyright Soumith Chintala and contributors).\n"
        '#include "config/imagenet_labels.h"\n\n'
        "namespace vitrine {\n\n"
        "const char kImagenetLabels[] =\n" + "\n".join(string_literals(names)) + ";\n\n"
        "}  // namespace vitrine\n"
    )


if __name__ == "__main__":
    main()
