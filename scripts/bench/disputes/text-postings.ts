/** Challenges of a language model's posted rows: gas from receipts on a local chain. */

import { STAKE_WEI, startRowContracts } from "@openledger/challenger/internal/games/testing/row-fixture";
import { textCase } from "@openledger/challenger/internal/games/testing/text-case";
import { challengeRowCall, textChallengeData } from "@openledger/challenger/internal/games/text-calls";
import { findTextFaults } from "@openledger/challenger/internal/games/text-faults";
import { withTextTrees } from "@openledger/challenger/internal/games/text-posting";
import { readFact } from "@openledger/challenger/internal/statements/leaf-bytes";
import { factBytes, type Leaves, type PostedModel } from "@openledger/challenger/statements/posted-model";
import { encodeFunctionData, type Hex } from "viem";
import type { DisputesPart } from "./disputes-part.ts";

export const textPostings: DisputesPart = { name: "texts", measure };

type Change = readonly [tree: keyof Leaves, place: number, change: (leaf: Uint8Array) => Uint8Array];

/** A leaf's byte, one more. */
const byteAt = (place: number) => (leaf: Uint8Array) =>
  leaf.map((byte, at) => (at === place ? (byte + 1) & 0xff : byte));
const fact = (changed: object) => (leaf: Uint8Array) => factBytes({ ...readFact(leaf)!, ...changed });
const ONE = 1n << 40n;

/** By the kind of fault that is shown of it. */
const LIES: Readonly<Record<string, Change>> = {
  entry: ["features", 2, byteAt(5)],
  cell: ["features", 2, byteAt(5)],
  point: ["columns", 5, byteAt(2)],
  statics: ["points", 5, byteAt(63)],
  peak: ["facts", 3, fact({ residual: 1n })],
  scale: ["facts", 3, fact({ residual: -1n })],
  rowLength: ["facts", 3, fact({ length: 1 })],
  lengths: ["facts", 3, fact({ length: 100_000 })],
  factor: ["facts", 3, fact({ factor: ONE })],
  duplicate: ["facts", 7, fact({ leader: 4 })],
  tokens: ["tokens", 1, byteAt(7)],
};

async function measure() {
  const f = await startRowContracts(8);
  try {
    const made = await textCase(f.owner);
    const ledger = await f.register(made.traced.model, made.terms, made.honest);
    const { statement } = made.honest;
    const tracing = `0x${Buffer.from(statement.roots.weights).toString("hex")}` as Hex;
    const lie = ([tree, place, change]: Change): PostedModel => {
      const own = made.honest.leaves;
      const changed = own[tree].map((leaf, k) => (k === place ? change(leaf) : leaf));
      return withTextTrees({ ...own, [tree]: changed }, statement, tracing);
    };
    const textGas: Record<string, number> = {};
    for (const [kind, change] of Object.entries(LIES)) {
      const posted = lie(change);
      const fault = [...findTextFaults(posted, made.rows, made)].find((one) => one.kind === kind);
      if (fault === undefined || fault.kind === "row") throw new Error(`nothing shows a wrong ${kind}`);
      const id = await ledger.post(posted);
      const known = { terms: made.terms, vocabulary: made.traced.vocabulary };
      textGas[kind] = await f.send(
        f.watcher,
        f.disputes,
        textChallengeData(id, posted, made.rows, known, fault),
      );
    }
    const posted = lie(["map", 2, (leaf) => leaf.map((byte, at) => (at === 7 ? byte ^ 1 : byte))]);
    const id = await ledger.post(posted);
    const model = { ...made.traced.model, rollup: ledger.rollup };
    const call = challengeRowCall(id, posted, model, made.terms, 2);
    const challengeGas = await f.send(f.watcher, f.games, call, STAKE_WEI);
    await f.passTime(60n * 3_600n);
    const endGas = await f.send(
      f.watcher,
      f.games,
      encodeFunctionData({ abi: f.abi, functionName: "endByTime", args: [1n] } as never),
    );
    Object.assign(textGas, { challengeRow: challengeGas, endByTime: endGas });
    console.log(`${made.rows.length} rows, ${statement.columnCount} columns`);
    for (const [kind, gas] of Object.entries(textGas))
      console.log(`${kind}: ${gas.toLocaleString("en")} gas`);
    return { fields: { textGas }, besides: {} };
  } finally {
    await f.stop();
  }
}
