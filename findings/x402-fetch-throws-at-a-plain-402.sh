#!/usr/bin/env bash
# Package: @x402/fetch 2.27.0.
# Guess: a 402 that is not x402's (an API's "quota used up", with a body that says so) comes back as a response, as from the fetch that is wrapped.
# Behaviour: it is thrown away. The wrapper throws an Error about payment requirements; status and body of the answer are not in it, so nobody learns
# what the server said. Whoever wraps one fetch for all servers has to keep the others away from it.
# Seen: {"plain":"402 quota used up","wrapped":"Failed to parse payment requirements: Invalid payment required response","cause":null}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @x402/fetch@2.27.0
cat > show.mjs <<'JS'
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";

const server = async () => new Response("quota used up", { status: 402 });
const answer = await server();
const plain = `${answer.status} ${await answer.text()}`;
try {
  await wrapFetchWithPayment(server, new x402Client())("http://server.example/");
} catch ({ message, cause = null }) {
  console.log(JSON.stringify({ plain, wrapped: message, cause }));
}
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"plain":"402 quota used up","wrapped":"Failed to parse payment requirements: Invalid payment required response","cause":null}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
