#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Encrypted images, made by otter and by a second implementation of the format.   encrypted_reference.sh OTTER CASE
set -eu

otter=$1
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

command -v python3 >/dev/null || {
    echo "SKIPPED: no python3" >&2
    exit 77
}

reference() {
    python3 "$here/encrypted_reference.py" "$@"
}

schemes="rsa3072 p256"

image() {
    seq 700 | head -c 2001 >payload
    "$otter" image build --chip esp32c3 --project blink --segment 0x3C000020:payload -o app.bin
}

keys() {
    for scheme in $schemes; do
        "$otter" key new "$scheme" -o "$scheme.pem" --public "$scheme.pub"
    done
}

same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

what_otter_encrypts_the_reference_decrypts() {
    image
    keys
    for scheme in $schemes; do
        for key in "$scheme.pub" "$scheme.pem"; do
            "$otter" image encrypt app.bin --key "$key" -o app.enc
            reference decrypt app.enc "$scheme.pem" out.bin
            same app.bin out.bin
        done
    done
}

what_the_reference_encrypts_otter_decrypts() {
    image
    keys
    for scheme in $schemes; do
        reference encrypt app.bin "$scheme.pub" app.enc
        "$otter" image info app.enc | grep -q "^For a key  *$scheme\$" || fail "info: $("$otter" image info app.enc)"
        "$otter" image decrypt app.enc --key "$scheme.pem" -o out.bin
        same app.bin out.bin
    done
}

images_of_any_length_go_both_ways() {
    keys
    for length in 1 15 16 17 32 33; do
        head -c "$length" /dev/urandom >plain
        "$otter" image encrypt plain --key p256.pub -o one.enc
        reference decrypt one.enc p256.pem out
        same plain out
        reference encrypt plain p256.pub two.enc
        "$otter" image decrypt two.enc --key p256.pem -o out
        same plain out
    done
}

keys_derived_from_an_hmac_key_agree() {
    image
    reference hmac-key device.bin device.pub
    "$otter" image encrypt app.bin --key device.pub -o app.enc
    reference decrypt app.enc device.bin out.bin
    same app.bin out.bin
    "$otter" image decrypt app.enc --hmac-key device.bin -o out.bin
    same app.bin out.bin
    reference encrypt app.bin device.pub app.enc
    "$otter" image decrypt app.enc --hmac-key device.bin -o out.bin
    same app.bin out.bin
}

"$2"
