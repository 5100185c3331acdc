#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same image, seen by esptool and by otter.   esptool.sh OTTER VENV CORPUS CASE
set -eu

otter=$1
venv=$2
corpus=${OTTER_CORPUS:-$3}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
. "$here/esptool_env.sh"

# Both print: entry, segments (address, offset of the header, length), checksum and digest with a verdict, names.
esptool_facts() {
    "$venv/bin/esptool" image-info "$1" >esptool.txt 2>&1 || fail "esptool: $(cat esptool.txt)"
    awk '
        /^Entry point:/ { print "entry", $3 }
        /^ +[0-9]+  0x/ { print "segment", $3, $4, $2 }
        /^Checksum:/ { print "checksum", $2, $3 ~ /^\(valid/ ? "valid" : "invalid" }
        /^Validation hash:/ { print "hash", $3, $4 ~ /^\(valid/ ? "valid" : "invalid" }
        /^Project name:/ { print "project", $3 }
        /^ELF file SHA256:/ { print "elf", $4 }
        /^Secure version:/ { print "secure_version", $3 }' esptool.txt
}

otter_facts() {
    "$otter" image info --json "$1" >otter.json || fail "otter image info $1"
    awk -F '[:, ]+' '
        function verdict(ok) { return ok == "true" ? "valid" : "invalid" }
        { gsub(/"/, "") ; name = $2; value = $3 }
        name == "entry" { printf "entry 0x%08x\n", value }
        name == "load_addr" { addr = value }
        name == "offset" { off = value }
        name == "length" { printf "segment 0x%08x 0x%08x 0x%05x\n", addr, off - 8, value }
        name == "checksum" { sum = value }
        name == "checksum_ok" { printf "checksum 0x%02x %s\n", sum, verdict(value) }
        name == "sha256" { hash = value }
        name == "sha256_ok" { print "hash", hash, verdict(value) }
        name == "project" && value != "null" { print "project", value }
        name == "elf_sha256" { print "elf", value }
        name == "secure_version" && app { print "secure_version", value }
        name == "kind" { app = value == "app" }' otter.json
}

compare() {
    esptool_facts "$1" | sort >esptool.facts
    otter_facts "$1" | sort >otter.facts
    grep -q '^checksum' esptool.facts && grep -q '^segment' esptool.facts || fail "esptool said nothing of $1"
    diff esptool.facts otter.facts >differences || fail "$1: esptool (<) and otter (>) differ: $(cat differences)"
}

make_c3() {
    seq 700 | head -c 2001 >a
    seq 300 400 >b
    "$otter" image build --chip esp32c3 --project blink --app-version 1.0 --secure-version 7 \
        --segment 0x3C000020:a --segment 0x3FC80000:b --entry 0x40380000 -o c3.bin
}

built_images_look_the_same() {
    make_c3
    compare c3.bin
    grep -q '^checksum .* valid$' otter.facts || fail "checksum: $(cat otter.facts)"
    grep -q '^hash .* valid$' otter.facts || fail "digest: $(cat otter.facts)"
}

corrupt_images_look_the_same() {
    make_c3
    printf '\377\001' | dd of=c3.bin bs=1 seek=1000 conv=notrunc 2>/dev/null
    compare c3.bin
    grep -q '^checksum .* invalid$' otter.facts || fail "checksum: $(cat otter.facts)"
    grep -q '^hash .* invalid$' otter.facts || fail "digest: $(cat otter.facts)"
}

genuine_images_look_the_same() {
    compared=0
    for image in "$corpus"/*.bin; do
        [ "$(od -An -tx1 -N 1 "$image" 2>/dev/null)" = " e9" ] || continue
        compare "$image"
        compared=$((compared + 1))
    done
    [ $compared -gt 0 ] || skip "no genuine images in $corpus; set OTTER_CORPUS to the folder that has them"
    echo "$compared images compared"
}

need_esptool
"$4"
