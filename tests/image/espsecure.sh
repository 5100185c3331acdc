#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Secure Boot v2 signatures, made and judged by espsecure and by otter.   espsecure.sh OTTER VENV CASE
set -eu

otter=$1
venv=$2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
. "$here/esptool_env.sh"

schemes="rsa3072 p256 p384"

# status EXPECTED COMMAND...: 0, or anything but 0 for "refused"; keeps what it says in "out".
status() {
    expected=$1
    shift
    actual=0
    "$@" >out 2>&1 || actual=$?
    case $expected:$actual in
    0:0 | refused:[1-9]*) ;;
    *) fail "$*: status $actual, wanted $expected: $(cat out)" ;;
    esac
}

says() {
    tr '\n' ' ' <out | tr -s ' ' | grep -qF -- "$1" || fail "no \"$1\" in: $(cat out)"
}

espsecure() {
    # Wide: messages shall not be broken into lines.
    COLUMNS=400 "$venv/bin/espsecure" "$@"
}

espsecure_name() {
    case $1 in
    rsa3072) echo rsa3072 ;;
    p256) echo ecdsa256 ;;
    p384) echo ecdsa384 ;;
    esac
}

# ---- Images and keys ----

image() {
    seq "$2" | head -c 2001 >payload
    "$otter" image build --chip esp32c3 --project blink --app-version "$2" --segment 0x3C000020:payload -o "$1"
}

# An image of exactly 4096 bytes: header, segment header, descriptor, payload, checksum, digest.
aligned_image() {
    seq 2000 | head -c $((4096 - 24 - 8 - 256 - 16 - 32)) >payload
    "$otter" image build --chip esp32c3 --project blink --segment 0x3C000020:payload -o "$1"
    [ "$(wc -c <"$1")" = 4096 ] || fail "the image has $(wc -c <"$1") bytes"
}

espsecure_key() {
    status 0 espsecure generate-signing-key --version 2 --scheme "$(espsecure_name "$1")" "$2"
}

espsecure_sign() {
    espsecure_from=$1
    espsecure_to=$2
    shift 2
    status 0 espsecure sign-data --version 2 "$@" --output "$espsecure_to" "$espsecure_from"
}

espsecure_verify() {
    status "$3" espsecure verify-signature --version 2 --keyfile "$2" "$1"
}

# otter_verdicts IMAGE: of each block.
otter_verdicts() {
    "$otter" image info --json "$1" | sed -n 's/^ *"verdict": "\(.*\)"$/\1/p' | tr '\n' ' '
}

# patch FILE OFFSET BYTES: BYTES as printf has them.
patch() {
    # shellcheck disable=SC2059
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# ---- What one signs, the other verifies ----

what_espsecure_signs_otter_verifies() {
    image app.bin 700
    for scheme in $schemes; do
        espsecure_key "$scheme" "$scheme.pem"
        espsecure_sign app.bin signed.bin --keyfile "$scheme.pem"
        status 0 "$otter" image verify signed.bin --key "$scheme.pem"
        [ "$(otter_verdicts signed.bin)" = "good " ] || fail "$scheme: $(otter_verdicts signed.bin)"
    done
}

what_otter_signs_espsecure_verifies() {
    image app.bin 700
    for scheme in $schemes; do
        "$otter" key new "$scheme" -o "$scheme.pem" --public "$scheme.pub"
        "$otter" image sign app.bin --key "$scheme.pem" -o signed.bin
        espsecure_verify signed.bin "$scheme.pem" 0
        espsecure_verify signed.bin "$scheme.pub" 0
        says "Signature block 0 verification successful"
    done
}

one_to_three_signatures_of_espsecure_verify_in_otter() {
    image app.bin 700
    cp app.bin signed.bin
    for i in 1 2 3; do
        espsecure_key rsa3072 "$i.pem"
        espsecure_sign signed.bin next.bin --keyfile "$i.pem" --append-signatures
        mv next.bin signed.bin
        for key in $(seq $i); do
            status 0 "$otter" image verify signed.bin --key "$key.pem"
        done
    done
    [ "$(otter_verdicts signed.bin)" = "good good good " ] || fail "$(otter_verdicts signed.bin)"
}

one_to_three_signatures_of_otter_verify_in_espsecure() {
    image app.bin 700
    cp app.bin signed.bin
    for i in 1 2 3; do
        "$otter" key new p256 -o "$i.pem"
        "$otter" image sign signed.bin --append --key "$i.pem" -o signed.bin
        for key in $(seq $i); do
            espsecure_verify signed.bin "$key.pem" 0
            says "Signature block $((key - 1)) verification successful"
        done
    done
}

both_add_to_what_the_other_has_signed() {
    image app.bin 700
    espsecure_key p384 a.pem
    "$otter" key new p384 -o b.pem
    espsecure_sign app.bin one.bin --keyfile a.pem
    "$otter" image sign one.bin --append --key b.pem -o two.bin
    espsecure_verify two.bin a.pem 0
    espsecure_verify two.bin b.pem 0
    "$otter" image sign app.bin --key b.pem -o one.bin
    espsecure_sign one.bin two.bin --keyfile a.pem --append-signatures
    status 0 "$otter" image verify two.bin --key a.pem
    status 0 "$otter" image verify two.bin --key b.pem
    [ "$(otter_verdicts two.bin)" = "good good " ] || fail "$(otter_verdicts two.bin)"
}

signatures_of_three_schemes_stand_side_by_side() {
    image app.bin 700
    for scheme in $schemes; do
        espsecure_key "$scheme" "$scheme.pem"
    done
    espsecure_sign app.bin theirs.bin --keyfile rsa3072.pem --keyfile p256.pem --keyfile p384.pem
    [ "$(otter_verdicts theirs.bin)" = "good good good " ] || fail "$(otter_verdicts theirs.bin)"
    "$otter" image sign app.bin --key p384.pem --key p256.pem --key rsa3072.pem -o ours.bin
    status 0 espsecure signature-info-v2 ours.bin
    says "Public key digest for block 2"
}

a_signature_made_by_openssl_verifies_in_both() {
    command -v openssl >/dev/null || skip "no openssl program"
    image app.bin 700
    pss="-pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32 -pkeyopt rsa_mgf1_md:sha256"
    for scheme in $schemes; do
        [ $scheme = rsa3072 ] && options=$pss || options=
        "$otter" key new "$scheme" -o "$scheme.pem" --public "$scheme.pub"
        "$otter" image sign app.bin --public-key "$scheme.pub" -o signed.bin \
            --sign-command "openssl pkeyutl -sign -inkey $scheme.pem $options -in \"\$OTTER_DIGEST\""
        status 0 "$otter" image verify signed.bin --key "$scheme.pub"
        espsecure_verify signed.bin "$scheme.pub" 0
    done
}

# ---- The same bytes ----

# blank FILE SCHEME: wipes signature and CRC of block 0 in an image that is padded to 4096 bytes.
blank() {
    case $2 in
    rsa3072) set -- "$1" 812 384 ;;
    p256) set -- "$1" 101 64 ;;
    p384) set -- "$1" 149 96 ;;
    esac
    [ "$(wc -c <"$1")" = 8192 ] || fail "$1 has $(wc -c <"$1") bytes"
    dd if=/dev/zero of="$1" bs=1 seek=$((4096 + $2)) count="$3" conv=notrunc 2>/dev/null
    dd if=/dev/zero of="$1" bs=1 seek=$((4096 + 1196)) count=4 conv=notrunc 2>/dev/null
}

same_bytes() {
    for scheme in $schemes; do
        espsecure_key "$scheme" "$scheme.pem"
        espsecure_sign "$1" theirs.bin --keyfile "$scheme.pem"
        "$otter" image sign "$1" --key "$scheme.pem" -o ours.bin
        cmp -s theirs.bin ours.bin && fail "$scheme: two signatures are the same: nothing is random"
        blank theirs.bin "$scheme"
        blank ours.bin "$scheme"
        cmp theirs.bin ours.bin || fail "$scheme: espsecure's and otter's file differ outside the signature"
        rm "$scheme.pem"
    done
}

files_are_the_same_but_for_the_signature() {
    image app.bin 700
    same_bytes app.bin
}

an_aligned_image_gets_no_padding() {
    aligned_image app.bin
    same_bytes app.bin
}

key_digests_are_the_same() {
    for scheme in $schemes; do
        espsecure_key "$scheme" theirs.pem
        "$otter" key new "$scheme" -o ours.pem --public ours.pub
        for key in theirs.pem ours.pem ours.pub; do
            status 0 espsecure digest-sbv2-public-key --keyfile "$key" --output digest
            theirs=$(od -An -v -tx1 digest | tr -d ' \n')
            ours=$("$otter" key digest "$key")
            [ "$theirs" = "$ours" ] || fail "$key: espsecure says $theirs, otter $ours"
        done
        rm theirs.pem ours.pem ours.pub
    done
}

signature_info_is_the_same() {
    image app.bin 700
    for scheme in $schemes; do
        "$otter" key new "$scheme" -o "$scheme.pem"
    done
    "$otter" image sign app.bin --key rsa3072.pem --key p256.pem --key p384.pem -o signed.bin
    status 0 espsecure signature-info-v2 signed.bin
    sed -n 's/^Public key digest for block [0-9]*: *//p' out | tr -d ' ' >theirs
    "$otter" image info --json signed.bin | sed -n 's/^ *"key_digest": "\(.*\)",$/\1/p' >ours
    [ "$(wc -l <theirs)" = 3 ] || fail "espsecure says: $(cat out)"
    cmp theirs ours || fail "espsecure says $(cat theirs), otter $(cat ours)"
}

# ---- What one refuses, the other refuses ----

# Makes signed.bin, and the key that did it.
signed() {
    image app.bin 700
    "$otter" key new "$1" -o key.pem
    "$otter" image sign app.bin --key key.pem -o signed.bin
    espsecure_verify signed.bin key.pem 0
    status 0 "$otter" image verify signed.bin --key key.pem
}

# both_refuse IMAGE KEY WHAT_ESPSECURE_SAYS WHAT_OTTER_SAYS
both_refuse() {
    espsecure_verify "$1" "$2" refused
    says "$3"
    status refused "$otter" image verify "$1" --key "$2"
    says "$4"
}

both_refuse_a_wrong_key() {
    for scheme in $schemes; do
        signed "$scheme"
        rm -f other.pem
        "$otter" key new "$scheme" -o other.pem
        both_refuse signed.bin other.pem "could not be verified with the provided key" "not signed with a trusted key"
        rm key.pem
    done
}

both_refuse_a_truncated_sector() {
    signed p256
    head -c 8191 signed.bin >short.bin
    both_refuse short.bin key.pem "a multiple of 4096" "ends before the image does"
}

both_refuse_a_wrong_block_crc() {
    for scheme in $schemes; do
        signed "$scheme"
        cp signed.bin bad.bin
        patch bad.bin $((4096 + 1000)) '\125\252'
        both_refuse bad.bin key.pem "Signature block 0 invalid" "damaged signature block"
        rm key.pem
    done
}

both_refuse_a_sector_of_another_image() {
    for scheme in $schemes; do
        signed "$scheme"
        image other.bin 600
        truncate -s 2400 pad
        tr '\0' '\377' <pad | cat other.bin - | head -c 4096 >forged.bin
        tail -c 4096 signed.bin >>forged.bin
        both_refuse forged.bin key.pem "image digest does not match" "signature does not match"
        [ "$(otter_verdicts forged.bin)" = "other " ] || fail "$(otter_verdicts forged.bin)"
        rm key.pem pad
    done
}

both_refuse_a_signature_over_the_unpadded_image() {
    for scheme in $schemes; do
        signed "$scheme"
        espsecure_sign app.bin unpadded.bin --keyfile key.pem --skip-padding
        head -c 4096 signed.bin >forged.bin
        tail -c 4096 unpadded.bin >>forged.bin
        both_refuse forged.bin key.pem "image digest does not match" "signature does not match"
        rm key.pem
    done
}

need_esptool
"$3"
