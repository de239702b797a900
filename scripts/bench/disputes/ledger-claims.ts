/** Gas of what ties a traced language model to a ledger: registration, claims, wrong tokens of prompts, approvals. */

import { claimReceiptCall, tracedTuple } from "@openledger/challenger/games/ledger-claims";
import { faultOfPrompt, refutePromptCall } from "@openledger/challenger/internal/games/prompt-tokens";
import { packLengths, promptVocabulary } from "@openledger/challenger/internal/games/prompt-vocabulary";
import { MODEL_ID, startLedgerTraces } from "@openledger/challenger/internal/games/testing/ledger-fixture";
import {
  BOND_WEI,
  HOUR_SECONDS,
  STAKE_WEI,
  smallModel,
} from "@openledger/challenger/internal/games/testing/trace-fixture";
import {
  claimOf,
  describeModel,
  type TracedQuery,
  traceQuery,
  tracingKernels,
} from "@openledger/challenger/internal/games/traced-model";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { DATA_CHUNK, TAG } from "@openledger/circuits/protocol";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { defaultBase } from "@openledger/models/base/default-base";
import { madeConfigs } from "@openledger/models/testing/made-models";
import { readSpelling, spelledLengths } from "@openledger/models/tokens/token-spelling";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { encodeFunctionData, type Hex, toHex } from "viem";

const VOCABULARY_SIZE = 2_048;
const FEATURE_COUNT = 256;
const DRAWS = [4, 64];
const PROMPT = "The state of the union is strong, and the Congress must keep it so.";
const PAYER = 9;
const ANSWER_TOKENS = [5, 6, 7, 8];

/** Prompts are those of the default base's tokenizer. The model's numbers are few: none of them is in this gas. */
export async function ledgerClaimGas(): Promise<Record<string, number>> {
  const f = await startLedgerTraces();
  try {
    const source = defaultBase();
    const tokens = await openTokenizer(source, VOCABULARY_SIZE);
    const spelling = (await readSpelling(source, VOCABULARY_SIZE))!;
    const vocabulary = promptVocabulary(spelling);
    const sizes = { vocab_size: VOCABULARY_SIZE, max_position_embeddings: 2 * PROMPT.length };
    const config = { ...madeConfigs.llama, num_hidden_layers: 1, ...sizes };
    const small = await smallModel(config, 2 * PROMPT.length, { featureCount: FEATURE_COUNT });
    const gas: Record<string, number> = {};
    const say = (what: string, used: number) => {
      gas[what] = used;
      console.log(`${what}: ${used.toLocaleString("en")} gas`);
    };
    const send = (functionName: "challenge" | "endByTime", id: bigint, valueWei = 0n) =>
      f.send(f.watcher, encodeFunctionData({ abi: traceGameAbi, functionName, args: [id] }), valueWei);
    for (const draws of DRAWS) {
      const { model, registration, traced } = await f.ledgerWith(
        {
          describe: (rollup) =>
            describeModel({ rollup, modelId: BigInt(MODEL_ID) }, small.model, small.inputs),
          terms: (of) =>
            tracedTuple(of, {
              claimant: f.owner,
              rest: 1,
              mostTokens: ANSWER_TOKENS.length,
              endToken: null,
              vocabulary,
              rules: 0n,
              isLikeliest: true,
            }),
        },
        FEATURE_COUNT,
        draws,
      );
      const registered = await f.send(f.stranger, registration);
      const kernels = tracingKernels("wasm", model);
      const queryOf = (own: readonly number[]) =>
        traceQuery(model, { tokens: [...own, ...ANSWER_TOKENS], promptCount: own.length }, kernels);
      const claim = async (query: TracedQuery, lengths: readonly number[], salt: bigint) => {
        const answer = JSON.stringify({ text: "So.", tokens: ANSWER_TOKENS });
        const receipt = { payerId: PAYER, salt, prompt: PROMPT, answer, lengths };
        const used = await f.send(f.owner, claimReceiptCall(model, traced, query, receipt), BOND_WEI);
        const claimId = (await f.read("claimCount")) as bigint;
        const prompt = toHex(PROMPT);
        return {
          used,
          claimId,
          statement: claimOf(model, query).statement,
          prompt,
          lengths: packLengths(lengths),
        };
      };
      const own = tokens.encode(PROMPT);
      const lengthsOf = (given: readonly number[]) =>
        spelledLengths(spelling, new TextEncoder().encode(PROMPT), given)!;
      const query = queryOf(own);
      const claims = [];
      for (let k = 0; k < draws; k++) claims.push(await claim(query, lengthsOf(own), BigInt(k)));
      if (draws === DRAWS[0]) {
        say("register", registered);
        const size = `${own.length} + ${ANSWER_TOKENS.length} tokens, ${FEATURE_COUNT} features`;
        // The first claim of a contract pays for what is never 0 again.
        say(`claimReceipt, ${size}`, claims[1]!.used);
        const letters = [...PROMPT].flatMap((letter) => tokens.encode(letter));
        const joined = await claim(queryOf(letters), lengthsOf(letters), 1_000n);
        const swapped = await claim(queryOf(own.with(1, own[2]!)), lengthsOf(own), 1_001n);
        for (const one of [joined, swapped]) {
          const fault = faultOfPrompt(vocabulary, one)!;
          say(
            fault.kind === "join" ? "challengeJoin" : "challengeSpelling",
            await f.send(f.watcher, refutePromptCall(vocabulary, traced, one, fault)),
          );
        }
        say("challenge, the first of a claim", await send("challenge", claims[0]!.claimId, STAKE_WEI));
        say("challenge, the next", await send("challenge", claims[0]!.claimId, STAKE_WEI));
        await f.passTime(80n * HOUR_SECONDS);
        // The owner is silent: both games end, and with them the claim.
        await send("endByTime", 1n);
        claims[0] = await claim(query, lengthsOf(own), 2_000n);
      }
      await f.passTime(80n * HOUR_SECONDS);
      const receipts = await Promise.all(claims.map(({ claimId }) => f.receiptOf(claimId)));
      const approval = approvalOf(
        model.rollup,
        receipts,
        claims.map(({ claimId }) => claimId),
      );
      say(`approve, ${draws} draws`, await f.send(f.stranger, approval));
    }
    return gas;
  } finally {
    await f.stop();
  }
}

/** The end of a chain with so many draws: what is before it is any number. */
function approvalOf(rollup: Hex, receipts: readonly bigint[], claimIds: readonly bigint[]): Hex {
  const elements = receipts.flatMap((receipt, k) => [
    (1n << 128n) | BigInt(k + 1),
    (BigInt(k + 1) << 24n) | BigInt(PAYER),
    receipt,
  ]);
  const tail = [
    ...elements,
    ...Array<bigint>((DATA_CHUNK - (elements.length % DATA_CHUNK)) % DATA_CHUNK).fill(0n),
  ];
  const before = 7n;
  let commitment = before;
  for (let from = 0; from < tail.length; from += DATA_CHUNK)
    commitment = hashTagged(TAG.data, [commitment, ...tail.slice(from, from + DATA_CHUNK)]);
  const end = BigInt(elements.length);
  const args = [rollup, BigInt(MODEL_ID), commitment, before, tail, end, claimIds] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "approve", args });
}
