/** What comes in over HTTP: zod schemas that check form and turn text into bigints. docs/api.md is the contract. */
import { z } from "zod";
import { KIND, KIND_RULES } from "../../circuits/protocol.ts";
import { RollupError } from "../../circuits/rollup-error.ts";
import { element, elementOrDecimal, hash, proof, wei } from "../../circuits/wire/wire-fields.ts";

const MAX_COUNTER = 2 ** 40 - 1;
const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const counter = z.int().nonnegative().max(MAX_COUNTER);
export const countFromText = z
  .string()
  .regex(/^[0-9]{1,13}$/, "is not a number")
  .transform(Number);
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "is not an L1 address")
  .transform(BigInt);
/** 40-bit integers: a number, or its decimal digits. */
const integer = z.union([count, z.string().regex(/^[0-9]{1,20}$/)]).transform(BigInt);
const transactionHash = hash;

export const operationBody = z
  .object({
    kind: z
      .string()
      .max(40)
      .meta({ description: "name of the kind", examples: ["transfer"] }),
    a: count.meta({ description: "id of the leaf that signs" }),
    b: count.meta({ description: "id of the leaf that is acted on; 0 for Create kinds and where unused" }),
    amountCode: integer.meta({ description: "40-bit decimal float of wei; CommitData: the row count" }),
    words: z.array(element).max(16),
    nonce: integer,
    maxFeePerUnitWei: wei,
    signature: z.strictObject({ r8x: element, r8y: element, s: element }),
  })
  .strict();

/** @throws OP_UNKNOWN_KIND */
export function signedKind(name: string): number {
  const rule = KIND_RULES.find((candidate) => candidate.name === name);
  if (rule?.isSigned) return rule.kind;
  throw new RollupError("OP_UNKNOWN_KIND", `${JSON.stringify(name)} is not a signed operation`, {
    data: { kind: name },
  });
}

/** Bytes as 0x-hex, at most so many. */
export const hexBytes = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes)
    .regex(/^0x([0-9a-fA-F]{2})*$/, "is not 0x-hex of whole bytes")
    .transform((text) => Uint8Array.from(Buffer.from(text.slice(2), "hex")));

export const limit = (max: number, fallback: number) =>
  countFromText
    .refine((value) => value >= 1 && value <= max, `is not between 1 and ${max}`)
    .default(fallback);

export const hashParams = z.object({ hash });
export const idParams = z.object({ id: countFromText });
export const numberParams = z.object({ number: countFromText });
export const indexParams = z.object({ index: countFromText });
export const leavesQuery = z
  .strictObject({ owner: address.optional(), keyX: element.optional() })
  .refine(({ owner, keyX }) => (owner === undefined) !== (keyX === undefined), "needs owner or keyX");
export const operationsQuery = z.strictObject({
  leaf: countFromText,
  before: hash.optional(),
  limit: limit(200, 50),
});
export const batchesQuery = z.strictObject({ before: countFromText.optional(), limit: limit(100, 20) });
export const feedQuery = z.object({ topics: z.string().max(2_000).optional() });

export const l1HeadBody = z.object({
  blockNumber: count,
  timestamp: counter,
  isFrozen: z.boolean().default(false),
});

const QUEUE_KINDS = KIND_RULES.filter((rule) => rule.isQueue).map((rule) => rule.kind);
export const queueEntriesBody = z.object({
  entries: z
    .array(
      z.object({
        queueIndex: counter,
        kind: z
          .int()
          .refine(
            (kind) => QUEUE_KINDS.includes(kind),
            `is none of ${KIND.depositNew} to ${KIND.forcedSeal}`,
          ),
        a: count.max(2 ** 24 - 1),
        b: count.max(2 ** 24 - 1),
        amountWei: wei,
        word1: elementOrDecimal,
        word2: elementOrDecimal,
        sender: address,
        l1BlockNumber: count,
        l1TransactionHash: transactionHash,
      }),
    )
    .max(1_000),
});

export const queueReplacementBody = queueEntriesBody.extend({ fromIndex: counter });

export const proveJobQuery = z.object({ prover: z.string().max(100).default("default") });

export const proofBody = z.object({
  batchHash: hash,
  proof: proof.meta({ description: "the real part of G2's coordinates first" }),
  publicSignals: z.array(elementOrDecimal).length(3).meta({ description: "C, y, z" }),
  timings: z.record(z.string().max(40), z.number().nonnegative()).default({}),
  backend: z.string().max(100).default("unknown"),
});

export const readyQuery = z.object({ limit: limit(64, 8) });

/** What one transaction may carry (EIP-7825's gas allows less). */
const MAX_WIRE_BYTES = 128 * 1024;
export const foreignBatchesBody = z.strictObject({
  batches: z
    .array(
      z.strictObject({
        batchNumber: z.int().positive(),
        circuitIndex: z.int().nonnegative(),
        data: hexBytes(MAX_WIRE_BYTES),
        settlements: z.array(hexBytes(MAX_WIRE_BYTES)),
        transactionHash,
        blockNumber: count,
      }),
    )
    // None: L1 has taken back what others had posted.
    .max(64),
});

export const l1ReportBody = z.object({
  batchHash: hash,
  status: z.enum(["submitted", "posted", "final", "dropped"]),
  transactionHash,
  blockNumber: count.nullish(),
  gasUsed: z
    .union([
      count,
      z
        .string()
        .regex(/^[0-9]{1,15}$/)
        .transform(Number),
    ])
    .nullish(),
  reason: z.string().max(200).nullish().meta({
    description:
      "dropped: stale-timestamp has the batch closed anew, queue-overdue with the queue's entries first",
  }),
});
