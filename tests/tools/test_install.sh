#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a build into an empty prefix and uses it from outside: a firmware is built there, and boots.
#
# usage: test_install.sh SOURCE_DIR BUILD_DIR pkg_config|find_package|programs
# CFLAGS: what the build itself was compiled with, beyond the ordinary (sanitizers).
set -eu

source=$1
build=$2
how=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
third_party=$source/tests/tools/third_party

fail()
{
    echo "$*"
    exit 1
}

quietly()
{
    "$@" >"$work/log" 2>&1 || { cat "$work/log" && fail "failed: $*"; }
}

quietly cmake --install "$build" --prefix "$prefix"
PATH=$prefix/bin:$PATH
pc=$(find "$prefix" -name otter.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PATH PKG_CONFIG_PATH

boots()
{
    quietly otter image verify "$1"
    quietly otter flash create --size 64M --app "$1" "$work/flash.bin"
    otter boot --once "$work/flash.bin" >"$work/boot.log" 2>&1 || { cat "$work/boot.log" && fail "it does not boot"; }
    grep -q 'thirdparty 3.1 says hello from ota_0' "$work/boot.log" || { cat "$work/boot.log" && fail "no hello"; }
}

case $how in
pkg_config)
    # shellcheck disable=SC2046,SC2086
    quietly ${CC:-cc} ${CFLAGS-} "$third_party/main.c" -o "$work/third_party" $(pkg-config --cflags --libs otter)
    quietly otter image build --elf "$work/third_party" --project thirdparty --app-version 3.1 -o "$work/out.bin"
    boots "$work/out.bin"
    ;;
find_package)
    quietly cmake -S "$third_party" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix"
    quietly cmake --build "$work/build"
    boots "$work/build/third_party.bin"
    ;;
programs)
    [ "$(otter --version)" = "otter $(pkg-config --modversion otter)" ] || fail "otter and otter.pc disagree"
    quietly otterd --version
    for page in otter.1 otterd.1; do
        find "$prefix" -path "*/man/*/$page" | grep -q . || fail "no manual page $page"
    done
    ;;
*) fail "no case named $how" ;;
esac
