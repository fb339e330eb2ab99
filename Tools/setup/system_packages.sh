#!/usr/bin/env bash
# Installs what building needs and the machine lacks (Debian, Ubuntu). Arguments: further packages.
# Prints nothing and asks nothing when all is there.
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "swift is not on the PATH. Install Swift 6.3 or later: https://swift.org/install" >&2
    exit 1
fi

wanted=("$@")
command -v git >/dev/null || wanted+=(git)
command -v gcc >/dev/null || wanted+=(gcc libc6-dev)
compgen -G '/usr/lib/gcc/*/*/libstdc++.so' >/dev/null || wanted+=(libstdc++-12-dev)

# C libraries that go into the binary: the Redis client, and the digests that name and check pages of the cache.
wanted+=(libhiredis-dev libsodium-dev libxxhash-dev)

missing=()
for package in "${wanted[@]:-}"; do
    [ -n "$package" ] || continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
# A Python built elsewhere may bring venv without Debian's package, and a Redis installed by hand is a Redis.
if [ "${missing[*]:-}" = "python3-venv" ] && python3 -c 'import venv, ensurepip' 2>/dev/null; then missing=(); fi
if [ "${missing[*]:-}" = "redis-server" ] && command -v redis-server >/dev/null; then missing=(); fi
[ "${#missing[@]}" -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then root=(sudo); fi
echo "installing: ${missing[*]}"
"${root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
