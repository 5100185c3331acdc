#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# otter image build, info, verify.   image_cli.sh OTTER CASE
set -eu

otter=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export SOURCE_DATE_EPOCH=1700000000

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

equal() {
    [ "$1" = "$2" ] || fail "got \"$1\", wanted \"$2\""
}

# status EXPECTED COMMAND...: runs it, keeps what it says in "out" and "err".
status() {
    expected=$1
    shift
    actual=0
    "$@" >out 2>err || actual=$?
    [ "$actual" = "$expected" ] || fail "$*: status $actual, wanted $expected: $(cat out err)"
}

says() {
    grep -qF -- "$2" "$1" || fail "no \"$2\" in: $(cat "$1")"
}

# field NAME: value of a member in the JSON that "out" holds.
field() {
    sed -n "s/^  \"$1\": \(.*[^,]\),*\$/\1/p" out
}

# A real program for this machine, without the size of a test build.
program() {
    cat "$(readlink -f /bin/true)" >prog
}

payload() {
    printf '%s' 'some payload, thirty-one bytes.' >payload
}

c3() {
    payload
    status 0 "$otter" image build --chip esp32c3 --project blink --app-version 1.2.3 --secure-version 5 \
        --segment 0x3C000020:payload --segment 0x3FC80000:payload --entry 0x40380000 -o c3.bin
}

# flip FILE OFFSET: another byte at a place.
flip() {
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' $(((old + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

a_linux_program_is_in_its_image_as_it_is() {
    program
    status 0 "$otter" image build --elf prog --project tool --app-version 2.0 -o tool.bin
    status 0 "$otter" image verify tool.bin
    status 0 "$otter" image info --json tool.bin
    equal "$(field project)" '"tool"'
    equal "$(field version)" '"2.0"'
    equal "$(field entry)" 268435456
    equal "$(field elf_sha256)" "\"$(sha256sum prog | cut -d' ' -f1)\""
    dd if=tool.bin of=copy bs=8 skip=37 count=$((($(wc -c <prog) + 7) / 8)) 2>/dev/null
    truncate -s "$(wc -c <prog)" copy
    cmp prog copy || fail "the program changed"
}

a_large_program_is_spread_over_segments() {
    program
    truncate -s 17M prog
    status 0 "$otter" image build --elf prog -o large.bin
    status 0 "$otter" image info --json large.bin
    equal "$(grep -c '"load_addr"' out)" 3
    says out '"load_addr": 285208576'
    status 0 "$otter" image verify large.bin
}

the_same_input_gives_the_same_bytes() {
    program
    status 0 "$otter" image build --elf prog --project p -o one.bin
    status 0 "$otter" image build --elf prog --project p -o two.bin
    cmp one.bin two.bin || fail "two builds differ"
    status 0 "$otter" image info --json one.bin
    equal "$(field compile_date)" '"Nov 14 2023"'
    equal "$(field compile_time)" '"22:13:20"'
}

date_and_time_can_be_given() {
    program
    status 0 "$otter" image build --elf prog --date 'Feb  3 2021' --time 04:05:06 -o dated.bin
    status 0 "$otter" image info --json dated.bin
    equal "$(field compile_date)" '"Feb  3 2021"'
    equal "$(field compile_time)" '"04:05:06"'
}

raw_segments_become_an_espressif_image() {
    c3
    status 0 "$otter" image verify --chip esp32c3 c3.bin
    says out 'good app image for esp32c3'
    status 0 "$otter" image info --json c3.bin
    equal "$(field chip)" '"esp32c3"'
    equal "$(field entry)" 1077411840
    equal "$(field secure_version)" 5
    equal "$(field image_len)" "$(wc -c <c3.bin)"
    equal "$(field sha256_ok)" true
    equal "$(field checksum_ok)" true
    equal "$(field signatures)" '[]'
    equal "$(field faults)" '[]'
    equal "$(field sha256)" "\"$(head -c -32 c3.bin | sha256sum | cut -d' ' -f1)\""
}

a_failed_build_leaves_the_old_file() {
    payload
    echo precious >c3.bin
    status 1 "$otter" image build --chip esp32c3 --segment 0x3C000024:payload -o c3.bin
    says err 'cannot be mapped'
    equal "$(cat c3.bin)" precious
    status 1 "$otter" image build --chip esp32c3 --segment 0x3C000020:missing -o new.bin
    says err 'missing'
    [ ! -e new.bin ] || fail "there is a new.bin"
    equal "$(find . -name '.otter*')" ''
}

a_program_for_another_machine_is_refused() {
    program
    payload
    status 1 "$otter" image build --elf payload -o x.bin
    says err 'is no ELF program'
    case $(uname -m) in
    x86_64) other=linux-arm64 ;;
    *) other=linux-x86_64 ;;
    esac
    status 1 "$otter" image build --elf prog --chip $other -o x.bin
    says err "another machine than $other"
    [ ! -e x.bin ] || fail "there is an x.bin"
}

wrong_usage_is_told_and_exits_with_2() {
    payload
    program
    status 2 "$otter" image build --elf prog
    says err '-o FILE'
    status 2 "$otter" image build -o x.bin
    says err '--elf FILE or --segment'
    status 2 "$otter" image build --chip esp32c3 --elf prog -o x.bin
    status 2 "$otter" image build --chip esp32c3 --segment here:payload -o x.bin
    says err 'here is no 32-bit address'
    status 2 "$otter" image build --chip esp8266 --segment 0:payload -o x.bin
    status 2 "$otter" image build --chip any --segment 0:payload -o x.bin
    status 2 "$otter" image verify
    status 2 "$otter" image verify --max-size lots prog
    status 2 "$otter" image verify --chip esp32c3 --max-size 17M prog
    [ ! -e x.bin ] || fail "there is an x.bin"
}

texts_that_do_not_fit_are_refused() {
    program
    status 1 "$otter" image build --elf prog --project 0123456789012345678901234567890x -o x.bin
    says err '31 characters fit'
    status 0 "$otter" image build --elf prog --project 012345678901234567890123456789x -o x.bin
}

verify_names_check_and_offset() {
    c3
    status 1 "$otter" image verify --chip esp32s3 c3.bin
    says err 'made for another chip (at offset 0xc: it is for esp32c3, not esp32s3)'
    status 1 "$otter" image verify --max-size 256 c3.bin
    says err 'too large for its place'
    status 1 "$otter" image verify --secure-version 6 c3.bin
    says err 'it is 5, at least 6 is wanted'
    head -c 100 c3.bin >cut.bin
    status 1 "$otter" image verify cut.bin
    says err 'ends before the image does (at offset 0x64)'
    status 1 "$otter" image verify --json cut.bin
    equal "$(field ok)" false
    equal "$(field fault_offset)" 100
    flip c3.bin 300
    status 1 "$otter" image verify c3.bin
    says err 'checksum does not match'
}

info_lists_faults_that_verify_fails_on() {
    c3
    flip c3.bin 300
    status 0 "$otter" image info --json c3.bin
    equal "$(field checksum_ok)" false
    equal "$(field sha256_ok)" false
    says out '"checksum does not match"'
    says out '"SHA-256 does not match"'
    status 0 "$otter" image info c3.bin
    says out 'BAD'
    status 1 "$otter" image verify c3.bin
}

info_fails_on_what_is_no_image() {
    payload
    status 1 "$otter" image info payload
    says err 'not an image'
    status 1 "$otter" image info /dev/null
    says err 'ends before'
    program
    status 1 "$otter" image info prog
    says err 'not an image'
    status 1 "$otter" image info missing
    says err 'cannot open missing'
}

a_bootloader_is_told_by_where_it_loads() {
    payload
    status 0 "$otter" image build --bootloader --chip esp32c3 --segment 0x3FCD5820:payload \
        --segment 0x403CE710:payload --segment 0x403CF000:payload --entry 0x403CE710 -o boot.bin
    status 0 "$otter" image info --json boot.bin
    equal "$(field kind)" '"bootloader"'
    equal "$(field project)" null
    status 0 "$otter" image verify --chip esp32c3 boot.bin
    says out 'good bootloader image'
    c3
    flip c3.bin 32
    status 0 "$otter" image info --json c3.bin
    equal "$(field kind)" '"app"'
    says out '"no app descriptor"'
    status 1 "$otter" image verify c3.bin
    says err 'no app descriptor'
}

an_image_may_come_through_a_pipe() {
    c3
    status 0 sh -c "cat c3.bin | '$otter' image verify -"
    status 0 sh -c "cat c3.bin | '$otter' image info --json -"
    equal "$(field project)" '"blink"'
}

bytes_after_an_image_are_counted() {
    c3
    len=$(wc -c <c3.bin)
    head -c 1000 /dev/zero >>c3.bin
    status 0 "$otter" image info --json c3.bin
    equal "$(field image_len)" "$len"
    equal "$(field file_len)" $((len + 1000))
}

"$2"
