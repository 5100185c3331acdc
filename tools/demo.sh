#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo: a device with secure boot updates itself over HTTPS, takes nothing that its owner did not sign, and falls
# back by itself when an update is bad.
#
# usage: tools/demo.sh BUILD_FOLDER    (make demo)
#
# Leaves its files in BUILD_FOLDER/demo, and no process behind. Can be run again.
set -eu

[ $# -eq 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd)
demo=$build/demo
bin=$build/bin
examples=$build/examples
otterd_pid=
boot_pid=
tail_pid=

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

stop()
{
    for pid in $boot_pid $otterd_pid $tail_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    boot_pid= otterd_pid= tail_pid=
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until the device's log has COUNT lines with TEXT.
await()
{
    text=$1 count=$2 seconds=$3
    ticks=$((seconds * 10))
    while [ "$(grep -c -- "$text" "$demo/device.log" || true)" -lt "$count" ]; do
        ticks=$((ticks - 1))
        [ $ticks -gt 0 ] || fail "the device did not say '$text' within $seconds s; see $demo/device.log"
        kill -0 "$boot_pid" 2>/dev/null || fail "the device stopped; see $demo/device.log"
        sleep 0.1
    done
}

# A file appears whole or not at all: the device may be looking.
publish()
{
    cp "$1" "$demo/www/.new"
    mv "$demo/www/.new" "$demo/www/firmware.bin"
}

unsigned() { echo "$examples/advanced_https_ota_v$1.bin"; }
signed() { echo "$demo/v$1_signed.bin"; }

start_server()
{
    rm -f "$demo/port"
    "$bin/otterd" --listen "127.0.0.1:$1" --root "$demo/www" --cert "$examples/certs/server_cert.pem" \
        --key "$examples/certs/server_key.pem" --access-log "$demo/access.log" --port-file "$demo/port" \
        >"$demo/otterd.log" 2>&1 &
    otterd_pid=$!
    ticks=100
    while [ ! -s "$demo/port" ] && kill -0 "$otterd_pid" 2>/dev/null && [ $ticks -gt 0 ]; do
        ticks=$((ticks - 1))
        sleep 0.05
    done
    [ -s "$demo/port" ] && kill -0 "$otterd_pid" 2>/dev/null
}

# The firmware has its server's address inside: another port means another build of it.
use_port()
{
    cmake -S "$(dirname "$0")/.." -B "$build" -DOTTER_EXAMPLE_URL="https://localhost:$1/firmware.bin" >/dev/null
    cmake --build "$build" >"$demo/build.log" 2>&1 || { cat "$demo/build.log" >&2; fail "the firmware does not build"; }
}

rm -rf "$demo"
mkdir -p "$demo/www"

say "The server: otterd serves $demo/www over HTTPS"
port=$(sed -n 's/^OTTER_EXAMPLE_URL:.*localhost:\([0-9]*\).*/\1/p' "$build/CMakeCache.txt")
if ! start_server "$port"; then
    echo "port $port is taken: building the firmware for another"
    start_server 0 || { cat "$demo/otterd.log" >&2; fail "otterd does not start"; }
    port=$(cat "$demo/port")
    use_port "$port"
fi
echo "https://localhost:$port/firmware.bin"

say "The owner: a key, and three versions signed with it"
"$bin/otter" key new p256 -o "$demo/owner.pem"
"$bin/otter" key new p256 -o "$demo/stranger.pem"
for version in 1 2 3; do
    "$bin/otter" image sign "$(unsigned $version)" --key "$demo/owner.pem" -o "$(signed $version)"
done
"$bin/otter" image sign "$(unsigned 2)" --key "$demo/stranger.pem" -o "$demo/v2_by_a_stranger.bin"

say "The device: a flash image with version 1.0.0, and a key store that trusts the owner's key alone"
"$bin/otter" flash create "$demo/flash.bin" --size 8M --key "$demo/owner.pem" --app "$(signed 1)"
publish "$(signed 1)"
"$bin/otter" flash info "$demo/flash.bin"

say "Power on. Somebody publishes a version 2.0.0 without signature, then one that a stranger signed: refused"
: >"$demo/device.log"
"$bin/otter" boot "$demo/flash.bin" >"$demo/device.log" 2>&1 &
boot_pid=$!
tail -n +1 -f "$demo/device.log" &
tail_pid=$!
await "this version runs already" 1 30
publish "$(unsigned 2)"
await "is not valid: not signed (" 1 30
await "the new firmware was refused" 1 30
publish "$demo/v2_by_a_stranger.bin"
await "not signed with a trusted key" 1 30
await "the new firmware was refused" 2 30

say "The owner publishes version 2.0.0: the device fetches it, restarts into it, confirms it"
publish "$(signed 2)"
await "version confirmed" 1 30
await "this version runs already" 2 30

say "Version 3.0.0 is published: it crashes, and the device is back on 2.0.0 by itself"
publish "$(signed 3)"
await "ABORTED" 1 30
await "2.0.0 runs from" 2 30
await "was rolled back: not fetched again" 1 30

say "Five more looks at the server: version 3.0.0 is not fetched again, the flash is not touched"
before=$(sha256sum <"$demo/flash.bin")
await "was rolled back: not fetched again" 6 60
[ "$before" = "$(sha256sum <"$demo/flash.bin")" ] || fail "the flash changed during the polls"

stop
say "Power off. What the flash says"
"$bin/otter" flash info "$demo/flash.bin"
"$bin/otter" flash info --json "$demo/flash.bin" >"$demo/flash.json"

say "The device runs 2.0.0. It took its owner's update over HTTPS, refused strangers', survived a bad one."
cat <<EOT
Next:
  build/bin/otter flash info build/demo/flash.bin          what the device knows
  build/bin/otter boot build/demo/flash.bin                power on again (Ctrl-C: off)
  build/bin/otter ota status build/demo/flash.bin          who boots, and who if that fails
  examples/advanced_https_ota/main.c                       the firmware that you saw
EOT
