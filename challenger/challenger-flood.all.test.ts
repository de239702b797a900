/** What strangers' registrations cost whoever watches: nothing, however many there are. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { madeConfigs } from "@openledger/models/testing/made-models";
import {
  createPublicClient,
  custom,
  decodeFunctionData,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  type PublicClient,
  toHex,
} from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tracedTuple } from "./games/ledger-claims.ts";
import { GameReader } from "./games/read-games.ts";
import { type LedgerTracesFixture, MODEL_ID, startLedgerTraces } from "./games/testing/ledger-fixture.ts";
import { smallModel } from "./games/testing/trace-fixture.ts";
import { describeModel } from "./games/traced-model.ts";

const FLOOD = 1_000;
/** As many as a registration may have. */
const INPUTS = 64;
const HEAP_MB = 64;
const CHALLENGER = fileURLToPath(new URL(".", import.meta.url));

let f: LedgerTracesFixture;
let rollup: Hex;
beforeAll(async () => {
  f = await startLedgerTraces();
  const config = { ...madeConfigs.llama, num_hidden_layers: 1, vocab_size: 40, intermediate_size: 32 };
  const small = await smallModel(config, 6);
  const terms = {
    ...{ claimant: f.owner, rest: 1, mostTokens: 4, endToken: null, vocabulary: null },
    ...{ rules: 0n, isLikeliest: false },
  };
  const ledger = await f.ledgerWith(
    {
      describe: (at) => describeModel({ rollup: at, modelId: BigInt(MODEL_ID) }, small.model, small.inputs),
      terms: (of) => ({
        ...tracedTuple(of, terms),
        inputs: Array.from({ length: INPUTS }, (_, i) => keccak256(toHex(i))),
      }),
    },
    20,
    2,
  );
  rollup = ledger.rollup;
  await f.send(f.stranger, ledger.registration);
  const state = await f.client.readContract({
    address: rollup,
    abi: [
      {
        type: "function",
        name: "state",
        inputs: [],
        outputs: [{ type: "uint256" }],
        stateMutability: "view",
      },
    ],
    functionName: "state",
  });
  const { args } = decodeFunctionData({ abi: traceGameAbi, data: ledger.registration });
  for (let one = 0; one < FLOOD; one++) {
    const other = await deployFixedState(f.client, f.stranger, state);
    const shown = [other, ...args!.slice(1)];
    await f.send(
      f.stranger,
      encodeFunctionData({ abi: traceGameAbi, functionName: "register", args: shown } as never),
    );
  }
}, 600_000);
afterAll(() => f?.stop());

test("a watcher reads none of a thousand registrations of made-up rollups", async () => {
  let bytes = 0;
  const client = createPublicClient({
    transport: custom({
      async request({ method, params }) {
        const answer = await f.client.request({ method, params } as never);
        if (method === "eth_getLogs") bytes += JSON.stringify(answer).length;
        return answer;
      },
    }),
  }) as PublicClient;
  expect(await new GameReader(client, f.game, { rollup }).models()).toMatchObject([
    { rollup: getAddress(rollup) },
  ]);
  // The one of his own rollup: 64 words of inputs, and what else a registration shows.
  expect(bytes).toBeLessThan(30_000);
});

test("a watcher with a small heap reads on", async () => {
  const script = `
    import { createPublicClient, http } from "viem";
    import { GameReader } from "./games/read-games.ts";
    const client = createPublicClient({ transport: http("${f.url}") });
    const models = await new GameReader(client, "${f.game}", { rollup: "${rollup}" }).models();
    console.log(models.length);`;
  const words = [`--max-old-space-size=${HEAP_MB}`, "--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: CHALLENGER });
  expect(stdout.trim()).toBe("1");
}, 60_000);
