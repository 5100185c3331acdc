# SPDX-License-Identifier: Apache-2.0
# For scripts that compare otter with genuine esptool and espsecure; to be sourced. They come from PyPI into a virtual
# environment, $venv, once a build directory.

skip() {
    echo "SKIPPED: $*" >&2
    exit 77
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

need_esptool() {
    [ -e "$venv/ready" ] && return
    rm -rf "$venv"
    python3 -m venv "$venv" >log 2>&1 || skip "no virtual environment (python3-venv): $(tail -n 1 log)"
    "$venv/bin/pip" install --disable-pip-version-check --retries 1 --timeout 15 'esptool>=5,<6' >log 2>&1 ||
        skip "esptool cannot be installed from PyPI: $(tail -n 1 log)"
    touch "$venv/ready"
}
