#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns web/openapi.yaml into the document that is served: as JSON text in a C file.

Usage: openapi_to_c.py IN.yaml OUT.c, or OUT.json for the text alone. Run by the build; needs
python3-yaml. Refuses what YAML lets pass and JSON readers would not understand: duplicate keys,
keys that are no strings, keys without a value (a null is written out).

What every operation of a kind has is said once, in x-conventions, and put into each of them here:
`token` into those that need one, `change` into POST, PUT, PATCH and DELETE, `object` into those of
them whose path names an object (x-tagged says otherwise). Each has `parameters` and `responses`; what
an operation says itself stays. A change's success may also be that of a dry run, unless x-dry-run is
false. x-every-scope: no token is refused for its scope.
"""
import copy
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


def convention_names(path, method, operation):
    """Which of x-conventions an operation follows."""
    if operation.get("security") != []:
        yield "token"
    if method in ("post", "put", "patch", "delete"):
        yield "change"
        if operation.get("x-tagged", "{" in path):
            yield "object"


def with_dry_run(operation, dry_run, headers):
    """The success of a change, and beside it what a dry run answers, which has none of its headers."""
    success = operation["responses"].get("200")
    if success is None:
        operation["responses"]["200"] = copy.deepcopy(dry_run)
        return
    for name, header in success.get("headers", {}).items():
        header = headers[header["$ref"].rsplit("/", 1)[1]] if "$ref" in header else header
        success["headers"][name] = {**header, "required": False}
    media = success["content"]["application/json"]
    ours = dry_run["content"]["application/json"]["schema"]
    media["schema"] = {"anyOf": [media["schema"], copy.deepcopy(ours)]}


def without(schemas, members, schema):
    """A schema less some of its members: a PUT's body, whose path says them."""
    result = copy.deepcopy(schemas[schema])
    result.pop("examples", None)
    for member in members:
        del result["properties"][member]
    result["required"] = [m for m in result.get("required", []) if m not in members]
    choices = [c for c in result.pop("anyOf", []) if not set(c["required"]) & set(members)]
    if choices:
        result["anyOf"] = choices
    if not result["required"]:
        del result["required"]
    return result


def expand(document):
    """Puts x-conventions into the operations, and takes them out of the document."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        rule = schema.pop("x-without", None)
        if rule is not None:
            schemas[name] = {**without(schemas, **rule), **schema}
    conventions = document.pop("x-conventions")
    dry_run = conventions.pop("dry_run")
    for path, item in document["paths"].items():
        for method, shared in list(item.items()):
            if method == "parameters":
                continue
            # What two operations share in YAML is one object; each gets its own.
            operation = item[method] = copy.deepcopy(shared)
            every_scope = operation.pop("x-every-scope", False)
            for name in convention_names(path, method, operation):
                operation.setdefault("parameters", [])
                operation["parameters"] += conventions[name].get("parameters", [])
                for status, response in conventions[name].get("responses", {}).items():
                    if status != "403" or not every_scope:
                        operation["responses"].setdefault(status, response)
                if name == "change" and operation.pop("x-dry-run", True):
                    with_dry_run(operation, dry_run, document["components"]["headers"])
            if not operation.get("parameters", True):
                del operation["parameters"]
            operation.pop("x-tagged", None)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return document


def c_lines(data):
    for start in range(0, len(data), 80):
        chunk = data[start:start + 80]
        text = "".join(
            chr(b) if 0x20 <= b < 0x7F and chr(b) not in '"\\?' else f"\\{b:03o}" for b in chunk)
        yield f'    "{text}"'


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as stream:
        document = expand(yaml.load(stream, Loader))
    data = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    if target.endswith(".json"):
        with open(target, "wb") as out:
            out.write(data)
        return
    with open(target, "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
        out.write("/* Made from web/openapi.yaml by the build. */\n")
        out.write('#include "web/openapi.h"\n\n')
        out.write("const char openapi_json[] =\n" + "\n".join(c_lines(data)) + ";\n")
        out.write("const size_t openapi_json_bytes = sizeof(openapi_json) - 1;\n")


if __name__ == "__main__":
    main()
