#!/usr/bin/env bash
# Package: @x402/fetch 2.27.0.
# Guess: beside a payment's own header PAYMENT-SIGNATURE, the paid request has the headers of the first one. A server for pages of other origins
# allows that header in its preflight answer, and that is enough.
# Behaviour: it also has Access-Control-Expose-Headers, which is a header of responses, and is not safelisted. A browser asks for it in the preflight,
# and sends nothing where Access-Control-Allow-Headers does not name it, too: the page has signed a payment and gets a network error.
# Seen: {"first":[],"paid":["access-control-expose-headers","payment-signature"]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @x402/core@2.27.0 @x402/fetch@2.27.0
cat > show.mjs <<'JS'
import { encodePaymentRequiredHeader } from "@x402/core/http";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";

const accepted = { scheme: "own", network: "own:1", amount: "1", asset: "A", payTo: "B", maxTimeoutSeconds: 60, extra: {} };
const required = { x402Version: 2, resource: { url: "http://server.example/" }, accepts: [accepted] };
const headers = { "payment-required": encodePaymentRequiredHeader(required) };
const sent = [];
const server = async (request) => {
  sent.push([...request.headers.keys()].sort());
  return sent.length === 1 ? new Response("{}", { status: 402, headers }) : new Response("paid");
};
const scheme = { scheme: "own", createPaymentPayload: async (x402Version) => ({ x402Version, payload: {} }) };
const client = new x402Client().register("own:1", scheme).setSpendControls(false);
await wrapFetchWithPayment(server, client)("http://server.example/");
console.log(JSON.stringify({ first: sent[0], paid: sent[1] }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"first":[],"paid":["access-control-expose-headers","payment-signature"]}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
