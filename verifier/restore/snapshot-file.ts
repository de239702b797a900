/**
 * File of a snapshot, the whole ledger after a batch: `openledger snapshot` writes it; full nodes, restores and exits read it.
 * Its lines are a head, one line a leaf, one a model's payments, one a waiting queue entry, and last the SHA-256 of all before.
 * A bigint is 0x-hex text. It is written and read as a stream.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { QueueEntry } from "@openledger/bridge/l1/queue-entry";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { Ledger } from "@openledger/circuits/ledger/ledger";
import { MAX_LEAF_COUNT } from "@openledger/circuits/protocol";
import { payee } from "@openledger/circuits/wire/wire-fields";
import type { Address, Hex } from "viem";
import { z } from "zod";
import type { LedgerSnapshot } from "../replay/ledger-snapshot.ts";
import { snapshotFalse } from "../replay/ledger-snapshot.ts";

const FORMAT = "openledger-snapshot/2";

const whole = z.int().nonnegative();
const big = z
  .string()
  .regex(/^0x[0-9a-f]{1,64}$/)
  .transform(BigInt);
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as Address);
const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: whole,
  rollupAddress: address,
  position: z.strictObject({
    batchNumber: whole,
    root: big,
    nextId: whole,
    opIndex: whole,
    queueHead: whole,
    timestamp: big,
  }),
  blockNumber: whole,
  leafCount: whole,
  modelCount: whole,
  waitingCount: whole,
});
const bigs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, big]));
const leafSchema = z.strictObject({
  id: whole.max(MAX_LEAF_COUNT - 1),
  record: z.strictObject({
    leaf: z.strictObject({
      kind: whole,
      ...bigs("nonce", "l1Owner", "keyX", "balance", "chain", "openAmount", "counters", "body"),
    }),
    datanet: z
      .strictObject(
        bigs("version", "rowCount", "publishedAt", "policy", "rowsRoot", "ownersCommitment", "payeeRoot"),
      )
      .optional(),
    model: z
      .strictObject({
        statics: z.strictObject(
          bigs("featuresCommitment", "ownersCommitment", "payeeRoot", "binding", "split"),
        ),
        ...bigs("closed", "accruedRoot", "claimedRoot", "epochStart"),
      })
      .optional(),
    rewards: z
      .strictObject({
        payees: z.array(payee),
        accruedWei: z.array(big),
        claimedWei: z.array(big.nullable().transform((value) => value ?? 0n)),
        closed: z.strictObject(bigs("chain", "epoch", "closingBatch", "amountWei")).nullable(),
      })
      .optional(),
  }),
});
const payment = z.strictObject({
  receipt: big,
  payerId: whole,
  amountWei: big,
  cumulativeWei: big,
  batchNumber: whole,
});
const modelSchema = z.strictObject({
  modelId: whole,
  open: z.strictObject({ epoch: whole, payments: z.array(payment) }),
  closed: z.strictObject({ epoch: whole, closingBatch: whole, payments: z.array(payment) }).nullable(),
});

const entrySchema = z.strictObject({
  queueIndex: whole,
  kind: whole,
  a: whole,
  b: whole,
  amountWei: big,
  word1: big,
  word2: big,
  word3: big,
  word4: big,
  sender: address,
  l1BlockNumber: whole,
  l1TransactionHash: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex),
});

const encodeLine = (value: object): string =>
  `${JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `0x${part.toString(16)}` : part))}\n`;

function* linesOf({ epochs, leaves, waiting, ...rest }: LedgerSnapshot): Generator<string> {
  const counts = { leafCount: leaves.size, modelCount: epochs.size, waitingCount: waiting.length };
  yield encodeLine({ format: FORMAT, ...rest, ...counts });
  for (const [id, record] of leaves) yield encodeLine({ id, record });
  for (const [modelId, { open, closed }] of epochs) yield encodeLine({ modelId, open, closed });
  for (const entry of waiting) yield encodeLine(entry);
}

/**
 * Writes a snapshot beside its path and renames it, so that a kill leaves no half of one. @returns the
 * content's SHA-256
 */
export async function writeSnapshot(path: string, snapshot: LedgerSnapshot): Promise<string> {
  const part = `${path}.part`;
  const hash = createHash("sha256");
  const stream = createWriteStream(part);
  for (const line of linesOf(snapshot)) {
    hash.update(line);
    if (!stream.write(line)) await once(stream, "drain");
  }
  const sha256 = hash.digest("hex");
  stream.end(encodeLine({ sha256 }));
  await once(stream, "finish");
  await rename(part, path);
  return sha256;
}

/**
 * Reads the file and checks its hash and form. Whether it is true is requireAnchored's question.
 * @throws BRG_SNAPSHOT_INVALID, also if the content is not what its hash names
 */
export async function readSnapshot(path: string): Promise<{ snapshot: LedgerSnapshot; sha256: string }> {
  const unreadable = (why: string, cause?: unknown) =>
    bridgeError("BRG_SNAPSHOT_INVALID", `${path} is no snapshot: ${why}`, {
      data: { reason: "unreadable", path },
      cause,
    });
  const hash = createHash("sha256");
  let head: z.output<typeof headSchema> | null = null;
  let stated: string | null = null;
  await initPoseidon();
  // Flat, as a Map ends the heap at 2.6 million. Nobody asks these for hashes: `requireConsistent` takes them.
  const { base, leaves } = new Ledger();
  const epochs = new Map<number, unknown>();
  const waiting: QueueEntry[] = [];
  const parse = <T extends z.ZodType>(schema: T, value: unknown, line: number): z.output<T> => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw unreadable(`line ${line}: ${z.prettifyError(result.error).slice(0, 300)}`);
  };
  let number = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number += 1;
      if (stated !== null) throw unreadable("its hash is followed by other lines");
      const value: unknown = JSON.parse(text);
      if (head !== null && isTrailer(value)) {
        stated = value.sha256;
        continue;
      }
      hash.update(`${text}\n`);
      if (head === null) {
        const stated = otherFormat(value);
        if (stated !== null)
          throw unreadable(`it is of format ${stated}, and ${FORMAT} is read here; make a new one`);
        head = parse(headSchema, value, number);
      } else if (leaves.size < head.leafCount) {
        const { id, record } = parse(leafSchema, value, number);
        base.fold([[id, record as unknown as LeafState, 0n]]);
      } else if (epochs.size === head.modelCount) {
        waiting.push(parse(entrySchema, value, number));
      } else {
        const { modelId, ...payments } = parse(modelSchema, value, number);
        epochs.set(modelId, payments);
      }
    }
  } catch (cause) {
    if (cause instanceof SyntaxError) throw unreadable(`line ${number} is not JSON`, cause);
    const why = UNREADABLE_PLACES[(cause as NodeJS.ErrnoException).code ?? ""];
    if (why !== undefined) throw unreadable(why, cause);
    throw cause;
  }
  if (head === null || stated === null) throw unreadable("it ends too early");
  const sha256 = hash.digest("hex");
  if (sha256 !== stated) throw snapshotFalse(`its content has hash ${sha256}, it names ${stated}`);
  const isWhole =
    leaves.size === head.leafCount && epochs.size === head.modelCount && waiting.length === head.waitingCount;
  if (!isWhole)
    throw unreadable("it has other numbers of leaves, models or queue entries than its head says");
  const { blockNumber, chainId, position, rollupAddress } = head;
  const typed = { epochs } as Pick<LedgerSnapshot, "epochs">;
  return { snapshot: { chainId, rollupAddress, position, blockNumber, waiting, leaves, ...typed }, sha256 };
}

/** Texts for the system's codes of a path without a readable file. */
const UNREADABLE_PLACES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "this user may not read it",
};

/** Format of the file; null if it is this version's, or if the file is none of ours. */
function otherFormat(value: unknown): string | null {
  const format = (value as { format?: unknown } | null)?.format;
  const isOther =
    typeof format === "string" && /^openledger-snapshot\/\d+$/.test(format) && format !== FORMAT;
  return isOther ? format : null;
}

const isTrailer = (value: unknown): value is { sha256: string } =>
  typeof (value as { sha256?: unknown } | null)?.sha256 === "string";
