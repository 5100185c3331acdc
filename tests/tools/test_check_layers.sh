#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One case of check_layers.cases: a copy of the tree with one line added must be refused, for that line and no
# other. With the name "allowed", lines that look like violations and are none must be accepted.
#
# usage: test_check_layers.sh SOURCE_DIR CASE
set -eu

source=$1
name=$2
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

fail()
{
    echo "$*"
    exit 1
}

# What the checker reports of the copy goes to a file; its exit status is the function's.
check()
{
    "$source/tools/check_layers" "$copy/tree" >"$copy/$1" 2>"$copy/summary"
}

place()
{
    mkdir -p "$copy/tree/$(dirname "$1")"
    if [ -f "$source/$1" ]; then
        cp "$source/$1" "$copy/tree/$1"
    else
        printf '/* SPDX-License-Identifier: Apache-2.0 */\n' >"$copy/tree/$1"
    fi
}

mkdir "$copy/tree"
cp -r "$source/include" "$source/core" "$copy/tree/"

if [ "$name" = allowed ]; then
    place cli/x.c
    check before || true
    cat >>"$copy/tree/cli/x.c" <<'END'
/* strcpy(a, b); #include <curl/curl.h>
   atoi(x) */
#include "core/util/bytes.h" /* not <curl/curl.h> */
static const char *text = "sprintf(a, b)"; // gets(x)
static const char quote = '"'; /* " */
int my_strcpy(int a);
int x = my_strcpy(1) + text.free(2);
END
    check after || true
    cmp "$copy/before" "$copy/after" || fail "refused: $(cat "$copy/after")"
    exit 0
fi

field()
{
    grep "^$name |" "$source/tests/tools/check_layers.cases" | awk -F ' [|] ' -v n="$1" '{ print $n }'
}
file=$(field 2)
line=$(field 3)
says=$(field 4)
[ -n "$says" ] || fail "no case named $name"

place "$file"
check before || true
printf '%s\n' "$line" >>"$copy/tree/$file"
at=$(wc -l <"$copy/tree/$file")
if check after; then
    fail "accepted: $line in $file"
fi
grep -E "^$file:$at: .*$says" "$copy/after" >"$copy/expected" || fail "not refused for that line: $(cat "$copy/after")"
[ "$(wc -l <"$copy/after")" = $(($(wc -l <"$copy/before") + 1)) ] || fail "more is refused: $(cat "$copy/after")"
