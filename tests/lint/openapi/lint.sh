#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lints the OpenAPI document that is made of DOCUMENT, by the rules of redocly.yaml. Usage: lint.sh CACHE DOCUMENT
#
# The linter is installed into CACHE as package-lock.json says, and stays there for as long as that
# file and Node's version are the same: only the first run needs the network.
set -eu
here=$(dirname "$(readlink -f "$0")")
cache=${1:?usage: lint.sh CACHE DOCUMENT}
document=$(readlink -f "${2:?usage: lint.sh CACHE DOCUMENT}")
# It would tell its maker of each run, and look for newer versions.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

made_for() {
    node --version
    cat "$here/package.json" "$here/package-lock.json" | sha256sum
}

install_linter() {
    rm -rf "${cache:?}/redocly" && mkdir -p "$cache/redocly"
    cp "$here/package.json" "$here/package-lock.json" "$cache/redocly/"
    (cd "$cache/redocly" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier >npm.log 2>&1) ||
        { cat "$cache/redocly/npm.log"; echo "lint: cannot install the linter"; exit 1; }
    made_for >"$cache/redocly/made-for"
}

mkdir -p "$cache"
exec 9>"$cache/redocly.lock"
flock 9
[ "$(cat "$cache/redocly/made-for" 2>/dev/null)" = "$(made_for)" ] || install_linter
flock -u 9
served=$(mktemp -d "$cache/served.XXXXXX")
trap 'rm -rf "$served"' EXIT
python3 "$here/../../../web/openapi_to_c.py" "$document" "$served/openapi.json"
"$cache/redocly/node_modules/.bin/redocly" lint --config "$here/redocly.yaml" --format stylish "$served/openapi.json"
