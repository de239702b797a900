#!/usr/bin/env bash
# Package: npm 11.19.1.
# Guess: `replace-registry-host=always` puts the host of the configured registry in the place of an archive's host, as its name says, and leaves the rest of
# the address alone.
# Behaviour: the address is built again of its path, so its query is lost, even where both hosts are the same. A registry whose archives have their version
# or a signature in the query is asked for something else, and the answer fails as an archive. With the default setting the query is sent.
# Seen: {"npmjs":"/archive?name=thing&version=1.0.0","always":"/archive"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund npm@11.19.1
mkdir thing && echo '{ "name": "thing", "version": "1.0.0" }' > thing/package.json
npm pack ./thing --silent >/dev/null
cat > show.mjs <<'JS'
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { promisify } from "node:util";

const archive = readFileSync("thing-1.0.0.tgz");
let asked = "";
const server = createServer(({ headers, url }, response) => {
  if (url.startsWith("/archive")) {
    asked = url;
    response.end(archive);
    return;
  }
  const dist = { tarball: `http://${headers.host}/archive?name=thing&version=1.0.0` };
  const versions = { "1.0.0": { name: "thing", version: "1.0.0", dist } };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ name: "thing", "dist-tags": { latest: "1.0.0" }, versions }));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const registry = `http://127.0.0.1:${server.address().port}`;
const seen = {};
for (const replaced of ["npmjs", "always"]) {
  mkdirSync(replaced);
  writeFileSync(`${replaced}/package.json`, "{}");
  const args = ["install", "thing", "--registry", registry, "--cache", `../cache-${replaced}`, "--no-audit", "--no-fund"];
  await promisify(execFile)("../node_modules/.bin/npm", [...args, `--replace-registry-host=${replaced}`], { cwd: replaced });
  seen[replaced] = asked;
}
server.close();
console.log(JSON.stringify(seen));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"npmjs":"/archive?name=thing&version=1.0.0","always":"/archive"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
