/**
 * Checks a settlement in the page: its data, C and proof come from Ethereum, its randomness from the contract, the key from the
 * page's own build. The server names J alone, and the proof is one of this J or of none. The card "Check it yourself" of a
 * settlement's page runs it.
 */

import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import {
  readSubmission,
  type SettlementLog,
  takesSettlementOnL1,
} from "@openledger/bridge/l1/submission/l1-submission";
import {
  postedBy,
  type SubmittedEntry,
  type SubmittedSettlement,
} from "@openledger/bridge/l1/submission/submitted-part";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { accruedRoot, closedHash, settlementHash } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import { capOf, entrySignals, settlementOnL1 } from "@openledger/circuits/registry/settlement-statement";
import type { PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import { quantumBitsOf } from "@openledger/circuits/settlement/settlement-split";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { type Hex, size, toHex } from "viem";
import {
  type CheckedKey,
  findKey,
  type L1Request,
  proofValues,
  readCircuit,
  readOwnLogs,
} from "./check-parts.ts";
import { attemptsOf, type CheckStep, hex } from "./check-steps.ts";

/** Settlement as the server shows it. */
export interface ShownSettlement {
  readonly settlement: LedgerSettlement;
  readonly model: LedgerModelLeaf;
  /** Accrued wei of each payee before the epoch; null if the server no longer has it. */
  readonly accruedBeforeWei: readonly bigint[] | null;
}

export interface SettlementToCheck extends L1Request, ShownSettlement {}

interface OnL1 {
  readonly submitted: SubmittedSettlement;
  readonly posted: PostedSettlement;
  readonly blockNumber: bigint;
}

/** Reports each step as soon as it is done. Ends after a failed step that the next ones need. */
export async function checkSettlement(
  question: SettlementToCheck,
  tell: (step: CheckStep) => void,
): Promise<void> {
  await initPoseidon();
  const attempt = attemptsOf(tell);
  const { settlement: shown } = question;
  const found = await attempt("found", () => findOnL1(question));
  if (found === null) return;
  const { blockNumber, submitted } = found;
  tell({
    name: "found",
    state: "done",
    text: `The contract took it in block ${blockNumber}, with ${bytesOf(submitted)} bytes${
      submitted.preVerifiedAtBlock === null
        ? ""
        : `; it was pre-verified in block ${submitted.preVerifiedAtBlock}`
    }.`,
    values: [
      ["contract", question.rollupAddress],
      ["transaction", shown.l1TransactionHash!],
    ],
  });

  const keys = await attempt("key", () => keysOf(question, submitted));
  if (keys === null) return;
  const several = keys.length > 1;
  tell({
    name: "key",
    state: "done",
    text: `The contract verifies with the same ${several ? "keys" : "key"} that came with this page.`,
    values: keys.map(({ circuitId }, i) => [nameOf("circuit id", i, keys), hex(circuitId)]),
  });
  tell(compareShownSettlement(question, found));
  await attempt("proof", () => checkStatement(question, found, keys, tell));
}

/** Entries of a settlement in L1's order: one if the model has one shard. */
const entriesOf = (submitted: SubmittedSettlement): readonly SubmittedEntry[] => [
  submitted,
  ...submitted.further,
];
const bytesOf = (submitted: SubmittedSettlement): number =>
  entriesOf(submitted).reduce((sum, { data }) => sum + size(data), 0);

/** Names a part of the settlement, with the place of its entry if there are several. */
const nameOf = (what: string, position: number, all: readonly unknown[]): string =>
  all.length === 1 ? what : `${what} of entry ${position}`;

/** Keys of the entries; only the first one's if the others came in through another contract. */
async function keysOf(question: SettlementToCheck, submitted: SubmittedSettlement): Promise<CheckedKey[]> {
  const keys: CheckedKey[] = [];
  const known = new Map<number, CheckedKey>();
  for (const { circuitIndex } of entriesOf(submitted)) {
    if (circuitIndex === null) continue;
    const key = known.get(circuitIndex) ?? (await findKey(question, circuitIndex));
    known.set(circuitIndex, key);
    keys.push(key);
  }
  return keys;
}

/** Finds the settlement of this model and epoch in the transaction that took it, by the server. */
async function findOnL1(question: SettlementToCheck): Promise<OnL1> {
  const { settlement } = question;
  const { batchNumber, epoch, modelId } = settlement;
  const hash = settlement.l1TransactionHash as Hex;
  const { blockNumber, logs } = await readOwnLogs(question, hash);
  const taken = logs.filter(takesSettlementOnL1);
  const isOf = ({ args }: SettlementLog) =>
    Number(args.modelId) === modelId && Number(args.batchNumber) === batchNumber;
  const position = taken.findIndex(isOf);
  const none = () =>
    new Error(
      `the contract took no settlement of epoch ${epoch} of model ${modelId} in the transaction ${hash}`,
    );
  if (position < 0) throw none();
  const { settlements } = await readSubmission(
    question.client as unknown as L1Client,
    taken[position]!,
    logs,
  );
  const submitted = settlements[position]!;
  const posted = postedBy(submitted);
  if (Number(posted.epoch) !== epoch) throw none();
  return { submitted, posted, blockNumber };
}

/**
 * Computes J from the epoch's amount and its payees, as the server shows them. The proof is one of J or of none, and nobody
 * knows two amounts of one J, so that the server need not be believed.
 */
function shownHash(
  { accruedBeforeWei, model, settlement: shown }: ShownSettlement,
  posted: PostedSettlement,
  amountWei: bigint,
): bigint | null {
  if (shown.kind === "activation" || accruedBeforeWei === null) return null;
  const { payees } = model;
  const accruedWei = accruedBeforeWei.map((wei, m) => wei + (shown.earnedWei?.[m] ?? 0n));
  return settlementHash({
    modelId: shown.modelId,
    voidCount: posted.voidCount,
    closed: closedHash(staticsOf(model).hash, { ...posted, amountWei }),
    ownerWei: shown.ownerWei ?? 0n,
    treasuryWei: shown.treasuryWei ?? 0n,
    oldAccruedRoot: accruedRoot(payees, accruedBeforeWei),
    newAccruedRoot: accruedRoot(payees, accruedWei),
  });
}

export function compareShownSettlement(
  question: ShownSettlement,
  { posted, submitted }: Pick<OnL1, "posted" | "submitted">,
): CheckStep {
  const { settlement: shown } = question;
  // Ethereum has quanta; how many wei each is follows from the epoch's amount, which J binds.
  const { burnedWei = 0n, earnedSumWei = 0n, ownerWei = 0n, treasuryWei = 0n } = shown;
  const amountWei = earnedSumWei + ownerWei + treasuryWei + burnedWei;
  const quantumBits = quantumBitsOf(amountWei);
  const hash = shownHash(question, posted, amountWei);
  const earned = shown.earnedWei?.map((wei, share): [string, bigint, bigint] => [
    `what share ${share} earned`,
    wei,
    (posted.items[share] ?? 0n) << quantumBits,
  ]);
  const onL1 = entriesOf(submitted);
  const shownEntries = [shown, ...(shown.further ?? [])];
  const commitments = shownEntries.map(({ publicSignals: [here] }, i): [string, bigint, bigint] => [
    nameOf("the data commitment", i, shownEntries),
    here,
    onL1[i]?.commitment ?? here,
  ]);
  const bytes = onL1.map(({ data }, i): [string, bigint, bigint] => [
    "its bytes",
    BigInt(shownEntries[i]?.data ?? "0x0"),
    BigInt(data),
  ]);
  const parts: [what: string, here: bigint, there: bigint][] = [
    ["the number of its entries", BigInt(shownEntries.length), BigInt(onL1.length)],
    ...commitments,
    ["the number of void draws", BigInt(shown.voidCount ?? 0), BigInt(posted.voidCount)],
    ["what was burned", burnedWei, posted.burnedWei],
    ...(earned ?? []),
    [
      "what the epoch was paid, and the parts of owner and treasury",
      hash ?? shown.settlementHash,
      shown.settlementHash,
    ],
    ...bytes,
  ];
  const different = parts.find(([, here, there]) => here !== there);
  if (different === undefined) {
    return {
      name: "shown",
      state: "done",
      text:
        hash === null && shown.kind === "settle"
          ? `What this page shows of it is what Ethereum holds. That a unit of it is 2^${quantumBits} wei is what this server says: it has too few earlier settlements for a check.`
          : "What this page shows of it is what Ethereum holds, to the wei.",
    };
  }
  const [what, here, there] = different;
  return {
    name: "shown",
    state: "failed",
    text: `This server shows other data than Ethereum has: ${what}.`,
    values: [
      ["shown here", toHex(here)],
      ["on Ethereum", toHex(there)],
    ],
  };
}

async function checkStatement(
  question: SettlementToCheck,
  { posted, submitted }: OnL1,
  keys: readonly CheckedKey[],
  tell: (step: CheckStep) => void,
): Promise<void> {
  const { modelId, settlementHash } = question.settlement;
  const kind = question.settlement.kind === "activation" ? KIND.activation : KIND.settle;
  const cap = await capOnL1(question, kind, posted);
  const prevRandao =
    kind === KIND.activation ? 0n : await randomnessOf(question, Number(posted.closingBatch));
  const record = { kind, b: modelId, words: [settlementHash] };
  const data = settlementOnL1(record, posted, { sort: keys[0]!.sizes.sort, cap, prevRandao });
  tell(
    data.seed === 0n
      ? { name: "seed", state: "skipped", text: "It has no draws: it was divided by row counts." }
      : {
          name: "seed",
          state: "done",
          text: "Computed here from the randomness that the contract recorded, the model, the epoch and its payments.",
          values: [
            ["prevRandao", hex(prevRandao)],
            ["seed", hex(data.seed)],
          ],
        },
  );
  const entries = entriesOf(submitted).flatMap(({ commitment, proof }, i) =>
    commitment === null || proof === null ? [] : [{ ...keys[i]!, commitment, proof }],
  );
  if (entries.length <= submitted.further.length) {
    tell({
      name: "challenge",
      state: "skipped",
      text: "The settlement came in through another contract, so the transaction does not show its proof. The contract verified it; it cannot be verified again here.",
    });
    return;
  }
  const signals = entrySignals(data, entries);
  tell({
    name: "challenge",
    state: "done",
    text: "The challenge follows from the circuit, the commitment and the data; the value is the data's at that point. Both computed here.",
    values: signals.flatMap((ofEntry, position) =>
      ["commitment", "value", "challenge"].map((name, i): [string, string] => [
        nameOf(name, position, signals),
        hex(ofEntry[i]!),
      ]),
    ),
  });
  const values = entries.flatMap(({ proof }, position) =>
    proofValues(proof).map(([name, value]): [string, string] => [nameOf(name, position, entries), value]),
  );
  const isEach = entries.every(({ key, proof }, i) =>
    verifyProof(key, fromContractProof(proof), signals[i]!),
  );
  tell(
    isEach
      ? {
          name: "proof",
          state: "done",
          text: `${entries.length === 1 ? "The proof is" : "All proofs are"} valid: these amounts follow from the closed payments, the draws and the model's rows.`,
          values,
        }
      : {
          name: "proof",
          state: "failed",
          text: "The proof does not fit this data and this record: one of them was altered. The contract cannot have accepted both; ask another server and another Ethereum node.",
          values,
        },
  );
}

/** Payments an epoch, at most: of the circuit that an activation names. */
async function capOnL1(question: L1Request, kind: number, posted: PostedSettlement): Promise<number> {
  if (kind === KIND.settle) return 0;
  const circuits = [];
  circuits[posted.capCircuit] = await readCircuit(question, posted.capCircuit);
  const cap = capOf(kind, posted, circuits);
  if (cap === null) throw new Error("it names a circuit that settles no epochs of this model");
  return cap;
}

function randomnessOf({ client, rollupAddress }: L1Request, closingBatch: number): Promise<bigint> {
  const contract = { address: rollupAddress, abi: rollupAbi } as const;
  return l1Call("read the recorded randomness", () =>
    client.readContract({ ...contract, functionName: "randomness", args: [BigInt(closingBatch)] }),
  );
}
