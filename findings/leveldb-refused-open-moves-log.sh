#!/usr/bin/env bash
# Package: classic-level 3.0.0, which has Google's LevelDB inside.
# Guess: an open that is refused, since another process holds the folder's lock, changes nothing in the folder.
# Behaviour: the open moves LOG to LOG.old before it looks at the lock. The process that has the database open goes on writing its report
# into LOG.old, and a LOG.old of an earlier life is gone.
# Seen: {"code":"LEVEL_LOCKED","before":["LOG"],"after":["LOG","LOG.old"]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund classic-level@3.0.0
cat > show.mjs <<'JS'
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { ClassicLevel } from "classic-level";

const reports = () => readdirSync("db").filter((name) => name.startsWith("LOG")).sort();
if (process.argv[2] === "second") {
  const code = await new ClassicLevel("db").open().then(
    () => "opened",
    (error) => error.cause.code,
  );
  process.stdout.write(code);
  process.exit();
}
const db = new ClassicLevel("db");
await db.open();
const before = reports();
const code = spawnSync(process.execPath, ["show.mjs", "second"]).stdout.toString();
console.log(JSON.stringify({ code, before, after: reports() }));
await db.close();
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"code":"LEVEL_LOCKED","before":["LOG"],"after":["LOG","LOG.old"]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
