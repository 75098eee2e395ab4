#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns web/openapi.yaml into a C file that holds it as JSON text.

Usage: openapi_to_c.py IN.yaml OUT.c. Run by the build; needs python3-yaml. Refuses what YAML
lets pass and JSON readers would not understand: duplicate keys, keys that are no strings, keys
without a value (a null is written out).
"""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """Plain YAML without dates, duplicate keys or keys that are no text."""


def construct_mapping(loader, node):
    result = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        where = key_node.start_mark
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)  # status codes
        if not isinstance(key, str):
            sys.exit(f"{where.name}:{where.line + 1}: the key {key!r} is not text")
        if key in result:
            sys.exit(f"{where.name}:{where.line + 1}: the key {key} is there twice")
        result[key] = loader.construct_object(value_node, deep=True)
        if result[key] is None and value_node.value != "null":
            sys.exit(f"{where.name}:{where.line + 1}: {key} has no value (a comma unquoted?)")
    return result


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, construct_mapping)
Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)


def c_lines(data):
    for start in range(0, len(data), 80):
        chunk = data[start:start + 80]
        text = "".join(
            chr(b) if 0x20 <= b < 0x7F and chr(b) not in '"\\?' else f"\\{b:03o}" for b in chunk)
        yield f'    "{text}"'


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as stream:
        document = yaml.load(stream, Loader)
    data = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    with open(target, "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
        out.write("/* Made from web/openapi.yaml by the build. */\n")
        out.write('#include "web/openapi.h"\n\n')
        out.write("const char openapi_json[] =\n" + "\n".join(c_lines(data)) + ";\n")
        out.write("const size_t openapi_json_bytes = sizeof(openapi_json) - 1;\n")


if __name__ == "__main__":
    main()
