#!/usr/bin/env bash
# Package: @x402/fetch 2.27.0.
# Guess: an error that a payment scheme throws comes out of the wrapped fetch, or is the cause of the one that does: whoever pays branches on its
# code (no account, above the budget), and retries what is retryable.
# Behaviour: the wrapper throws a new Error of the message alone. Class, code and cause are gone, so a scheme has to write its code into its message.
# The hook onPaymentCreationFailure of x402Client gets the error itself.
# Seen: {"message":"Failed to create payment payload: the budget is spent","code":null,"cause":null,"hook":"BUDGET_SPENT"}
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
const server = async () => new Response("{}", { status: 402, headers });
const scheme = {
  scheme: "own",
  async createPaymentPayload() {
    throw Object.assign(new Error("the budget is spent"), { code: "BUDGET_SPENT" });
  },
};
let hook = null;
const client = new x402Client().register("own:1", scheme).setSpendControls(false);
client.onPaymentCreationFailure(async ({ error }) => {
  hook = error.code;
});
try {
  await wrapFetchWithPayment(server, client)("http://server.example/");
} catch ({ message, code = null, cause = null }) {
  console.log(JSON.stringify({ message, code, cause, hook }));
}
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"message":"Failed to create payment payload: the budget is spent","code":null,"cause":null,"hook":"BUDGET_SPENT"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
