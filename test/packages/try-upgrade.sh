#!/usr/bin/env bash
# Upgrades from an older version and goes back again, each as docs/operating.md says, with data that the older one made.
# usage: test/packages/try-upgrade.sh [commit or tag; otherwise the latest tag, or what came before the latest migration]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
old=${1:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git log -1 --format=%h^ --diff-filter=A -- 'src/storage/migrations/0*.ts')}
work=$(mktemp -d)
data=$work/data
pid=''
trap '[ -z "$pid" ] || kill -KILL $pid 2>/dev/null; rm -rf "$work"' EXIT
node=$(npx --no-install node -p process.execPath)

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; [ ! -f "$work/output" ] || tail -n 20 "$work/output" >&2; exit 1; }
# usage: using old|new word …
using() { local which=$1; shift; (cd "$work" && DATA_DIR="$data" PORT=0 "$node" "${program[$which]}" "$@"); }

start() {
  (cd "$work" && DATA_DIR="$data" PORT=0 exec "$node" "${program[$1]}" demo) >"$work/output" 2>&1 &
  pid=$!
  for _ in $(seq 300); do
    api=$(sed -nE 's#^ *curl (http[^ ]+)/api/generate.*#\1#p' "$work/output")
    [ -z "$api" ] || return 0
    kill -0 $pid 2>/dev/null || fail "the $1 version ended"
    sleep 0.2
  done
  fail "the $1 version does not start"
}

stop() {
  kill -TERM $pid
  wait $pid || fail "it ended with $?"
  pid=''
}

make_picture() {
  curl -fsS -H 'content-type: application/json' -d "{\"prompt\":\"$1\"}" "$api/api/generate" |
    "$node" -e 'let text = ""; process.stdin.on("data", chunk => (text += chunk)).on("end", () => console.log(JSON.parse(text).images[0].url))'
}
sum() { curl -fsS "$api$1" | sha256sum; }
count() { curl -fsS "$api/api/history" | "$node" -e 'let text = ""; process.stdin.on("data", chunk => (text += chunk)).on("end", () => console.log(JSON.parse(text).items.length))'; }

say "the older version: $(git log -1 --format='%h %s' "$old")"
mkdir "$work/old" "$work/new"
git archive "$old" | tar -xC "$work/old"
(cd "$work/old" && npm ci --silent >"$work/output" 2>&1) || fail 'npm ci'
say "the newer version: $(git log -1 --format='%h %s'), with what is not committed"
npm pack --silent --pack-destination "$work" >"$work/output" 2>&1 || fail 'npm pack'
npm install --silent --prefix "$work/new" "$work"/webimgui-*.tgz >"$work/output" 2>&1 || fail 'npm install'
declare -A program=([old]=$work/old/tools/webimgui.mjs [new]=$work/new/node_modules/webimgui/tools/webimgui.mjs)
[ -f "${program[old]}" ] || program[old]=$work/old/src/main.ts

start old
first=$(make_picture 'a boat')
before=$(sum "$first")
using old backup "$work/before.tar"
stop

say 'upgrade'
start new
[ "$(sum "$first")" = "$before" ] || fail 'the picture changed'
second=$(make_picture 'a hill')
[ "$(count)" = 2 ] || fail 'the history is not that of both'
stop
using new doctor
copies=("$data"/chat_history.db.before-*)
[ -f "${copies[0]}" ] || fail 'no copy of the older database was kept'
echo "kept: ${copies[*]##*/}"

say 'back to the copy that the upgrade made'
mkdir "$data/newer" && mv "$data"/chat_history.db* "$data/newer/"
mv "$data"/newer/chat_history.db.before-* "$data/chat_history.db"
start old
[ "$(sum "$first")" = "$before" ] || fail 'the picture changed'
[ "$(count)" = 1 ] || fail 'the history is not that of then'
stop
[ -n "$(using old doctor | grep -i 'no row')" ] || fail 'the newer picture is not listed'
echo "the picture that was made since, $second, is still there as a file"

say 'back to the backup, in an empty folder'
mv "$data" "$work/all"
using old restore "$work/before.tar"
cp "$work/all/secret.key" "$data/"
start old
[ "$(sum "$first")" = "$before" ] || fail 'the picture changed'
stop

say 'upgrade again, from the restored data'
start new
[ "$(sum "$first")" = "$before" ] || fail 'the picture changed'
stop

say 'everything holds'
