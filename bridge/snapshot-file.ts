/**
 * A snapshot as a file of lines: a head, one line a leaf, one a model's payments, and last the SHA-256 of all before. A
 * bigint is 0x-hex text; nothing else in it is. It is written and read as a stream.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Address } from "viem";
import { z } from "zod";
import { bridgeError } from "./bridge-errors.ts";
import type { LedgerSnapshot } from "./ledger-snapshot.ts";
import { snapshotFalse } from "./ledger-snapshot.ts";

const FORMAT = "openledger-snapshot/1";

const whole = z.int().nonnegative();
const big = z
  .string()
  .regex(/^0x[0-9a-f]{1,64}$/)
  .transform(BigInt);
const headSchema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: whole,
  rollupAddress: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .transform((text) => text as Address),
  position: z.strictObject({
    batchNumber: whole,
    root: big,
    nextId: whole,
    opIndex: whole,
    queueHead: whole,
    timestamp: big,
  }),
  leafCount: whole,
  modelCount: whole,
});
const bigs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, big]));
const leafSchema = z.strictObject({
  id: whole,
  record: z.strictObject({
    leaf: z.strictObject({
      kind: whole,
      ...bigs("nonce", "l1Owner", "keyX", "balance", "chain", "openAmount", "counters", "body"),
    }),
    datanet: z
      .strictObject(
        bigs("version", "rowCount", "publishedAt", "policy", "rowsRoot", "ownersCommitment", "slotRoot"),
      )
      .optional(),
    model: z
      .strictObject({
        statics: z.strictObject(
          bigs("featuresCommitment", "ownersCommitment", "slotRoot", "binding", "split"),
        ),
        ...bigs("sealed", "accruedRoot", "claimedRoot", "epochStart"),
      })
      .optional(),
    rewards: z
      .strictObject({
        slots: z.array(z.strictObject({ contributorId: whole, validatorId: whole, rowCount: whole })),
        accruedWei: z.array(big),
        claimedWei: z.array(big.nullable().transform((value) => value ?? 0n)),
        sealed: z.strictObject(bigs("chain", "epoch", "sealBatch", "amountWei")).nullable(),
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
  sealed: z.strictObject({ epoch: whole, sealBatch: whole, payments: z.array(payment) }).nullable(),
});

const encodeLine = (value: object): string =>
  `${JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `0x${part.toString(16)}` : part))}\n`;

function* linesOf({ epochs, leaves, position, ...rest }: LedgerSnapshot): Generator<string> {
  yield encodeLine({ format: FORMAT, ...rest, position, leafCount: leaves.size, modelCount: epochs.size });
  for (const [id, record] of leaves) yield encodeLine({ id, record });
  for (const [modelId, { open, sealed }] of epochs) yield encodeLine({ modelId, open, sealed });
}

/** Written beside and renamed, so that a kill leaves no half of one. @returns the content's SHA-256 */
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
 * @throws BRG_SNAPSHOT_UNREADABLE; BRG_SNAPSHOT_FALSE where the content is not what its hash names
 */
export async function readSnapshot(path: string): Promise<{ snapshot: LedgerSnapshot; sha256: string }> {
  const unreadable = (why: string, cause?: unknown) =>
    bridgeError("BRG_SNAPSHOT_UNREADABLE", `${path} is no snapshot: ${why}`, { data: { path }, cause });
  const hash = createHash("sha256");
  let head: z.output<typeof headSchema> | null = null;
  let stated: string | null = null;
  const leaves = new Map<number, unknown>();
  const epochs = new Map<number, unknown>();
  const parse = <T extends z.ZodType>(schema: T, value: unknown, line: number): z.output<T> => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw unreadable(`line ${line}: ${z.prettifyError(result.error).slice(0, 300)}`);
  };
  let number = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number += 1;
      if (stated !== null) throw unreadable("something stands behind its hash");
      const value: unknown = JSON.parse(text);
      if (head !== null && isTrailer(value)) {
        stated = value.sha256;
        continue;
      }
      hash.update(`${text}\n`);
      if (head === null) {
        head = parse(headSchema, value, number);
      } else if (leaves.size < head.leafCount) {
        const { id, record } = parse(leafSchema, value, number);
        leaves.set(id, record);
      } else {
        const { modelId, ...payments } = parse(modelSchema, value, number);
        epochs.set(modelId, payments);
      }
    }
  } catch (cause) {
    if (cause instanceof SyntaxError) throw unreadable(`line ${number} is not JSON`, cause);
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw unreadable("there is no such file", cause);
    throw cause;
  }
  if (head === null || stated === null) throw unreadable("it ends too early");
  const sha256 = hash.digest("hex");
  if (sha256 !== stated) throw snapshotFalse(`its content has hash ${sha256}, it names ${stated}`);
  if (leaves.size !== head.leafCount || epochs.size !== head.modelCount)
    throw unreadable("it has fewer leaves or models than its head says");
  const { chainId, position, rollupAddress } = head;
  const typed = { leaves, epochs } as Pick<LedgerSnapshot, "leaves" | "epochs">;
  return { snapshot: { chainId, rollupAddress, position, ...typed }, sha256 };
}

const isTrailer = (value: unknown): value is { sha256: string } =>
  typeof (value as { sha256?: unknown } | null)?.sha256 === "string";
