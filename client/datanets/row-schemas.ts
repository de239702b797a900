/**
 * Schemas of a host's answers about rows and their signed records. All reads of client/datanets/ parse by them; times are in
 * Unix milliseconds.
 */

import { type BodyOf, type RecordKind, recordSchema } from "@openledger/datanets/records/record";
import { z } from "zod";

const root = z.string().regex(/^0x[0-9a-f]{64}$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const leafIds = z.array(count);

const outcomeSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("waiting") }),
  z.object({ state: z.literal("disputed") }),
  z.object({ state: z.literal("accepted"), label: z.string().nullable(), accepters: leafIds }),
  z.object({ state: z.literal("leftOut"), why: z.string(), note: z.string(), byId: count }),
]);
export type HostedOutcome = z.output<typeof outcomeSchema>;

/** Values of a table's fields, in the card's order; null for rows of other kinds. Hosts of before say nothing. */
const values = z
  .array(z.union([z.number(), z.string(), z.boolean(), z.null()]))
  .nullable()
  .default(null);

const rowShape = {
  digest,
  commit: root,
  index: count,
  contributorId: count,
  bytes: count,
  /** The contributor's label; null while the row waits for labels, to others than the contributor. */
  label: z.string().nullable(),
  isWellFormed: z.boolean(),
  excerpt: z.string(),
  values,
  isCut: z.boolean(),
  labelCount: count,
  objectionCount: count,
  /** Time at which the contributor has withdrawn the row, which has no bytes since; null if they have not. */
  withdrawnAtMs: z.number().nullable().default(null),
  outcome: outcomeSchema,
};
const hostedRowSchema = z.object(rowShape);
export type HostedRow = z.output<typeof hostedRowSchema>;

/** The newest rows that the host has and does not find yet, nor counts by their values. Hosts of before find all at once. */
const undescribedCount = count.default(0);

export const rowsPageSchema = z.object({
  /** Rows that match; where `isTotalExact` is false there are more. */
  total: count,
  /** Hosts that do not say so count all. */
  isTotalExact: z.boolean().default(true),
  undescribedCount,
  /** Position of the first of these rows; null where it is behind the rows that are counted. */
  from: count.nullable(),
  /** Cursor for the next page; null on the last one. */
  next: count.nullable(),
  rows: z.array(hostedRowSchema),
});
export type RowsPage = z.output<typeof rowsPageSchema>;

const signedOf = <Kind extends RecordKind>(kind: Kind) =>
  z.unknown().transform((value, context): BodyOf<Kind> => {
    const parsed = recordSchema.safeParse(value);
    if (parsed.success && parsed.data.kind === kind) return parsed.data as BodyOf<Kind>;
    context.addIssue({ code: "custom", message: `is no record of kind ${kind}` });
    return z.NEVER;
  });

export const saidRowSchema = z.object({
  ...rowShape,
  /** Labels; null until the row has enough of them. */
  labels: z.array(signedOf("label")).nullable(),
  gold: signedOf("gold").nullable(),
  settled: signedOf("settle").nullable(),
  leaveOut: signedOf("leaveOut").nullable(),
  suggestion: signedOf("suggestion").nullable(),
  objections: z.array(signedOf("objection")),
});
export type SaidRow = z.output<typeof saidRowSchema>;

export const queueSchema = z.object({
  rows: z.array(
    z.object({
      digest,
      bytes: count,
      excerpt: z.string(),
      values,
      isCut: z.boolean(),
      isWellFormed: z.boolean(),
    }),
  ),
  labelledCount: count,
  /**
   * Rows that are with other labellers now, the labellers' leaves, and the time until which the first of them is
   * reserved; null for none.
   */
  held: z
    .object({ rowCount: count, leafIds: z.array(count).default([]), untilMs: z.number() })
    .nullable()
    .default(null),
});
export type LabelTurn = z.output<typeof queueSchema>;

export const standingSchema = z.object({
  leafId: count,
  mayLabel: z.boolean(),
  mayReview: z.boolean(),
  isOwner: z.boolean(),
  grantedUntilMs: z.number().nullable(),
  labelCount: count,
});
export type Standing = z.output<typeof standingSchema>;

const agreementShape = {
  method: z.enum(["cohen", "fleiss", "krippendorff"]),
  value: z.number().nullable(),
  rowCount: count,
  labellerCount: count,
};
const goldShape = { right: count, wrong: count };
/** Numbers of labels that agree with a suggestion, and of others. */
const sameShape = { same: count, other: count };
export const statisticsSchema = z.object({
  undescribedCount,
  rowCount: count,
  bytes: count,
  malformedCount: count,
  labels: z.array(z.object({ label: z.string(), rowCount: count })),
  states: z.object({ waiting: count, disputed: count, accepted: count, leftOut: count }),
  lengths: z.array(z.object({ maxBytes: count, rowCount: count })),
  contributors: z.array(z.object({ contributorId: count, rowCount: count })),
  growth: z.array(z.object({ day: z.string(), rowCount: count })),
  labelling: z.object({
    agreement: z.object(agreementShape),
    agreementByDay: z.array(z.object({ day: z.string(), ...agreementShape })),
    labellers: z.array(z.object({ leafId: count, labelCount: count, gold: z.object(goldShape) })),
    teams: z.array(
      z.object({
        name: z.string(),
        memberCount: count,
        labelCount: count,
        /** Labels of the last seven days. */
        weekCount: count,
        gold: z.object(goldShape),
        agreement: z.object(agreementShape),
      }),
    ),
    suggestions: z.object({ rowCount: count, seen: z.object(sameShape), unseen: z.object(sameShape) }),
  }),
});
export type DatanetStatistics = z.output<typeof statisticsSchema>;

const fieldFacts = { name: z.string(), missingCount: count };
export const fieldStatisticsSchema = z.object({
  /** Rows that were counted: of a large table a sample. */
  rowCount: count,
  undescribedCount,
  isSample: z.boolean(),
  fields: z.array(
    z.discriminatedUnion("type", [
      z.object({
        ...fieldFacts,
        type: z.enum(["number", "text"]),
        /** Numbers, or lengths of texts in UTF-16 code units; null without a value. */
        span: z.object({ min: z.number(), median: z.number(), max: z.number() }).nullable(),
        /** Row counts in bins of one width, from the smallest value to the largest. */
        bins: z.array(count),
      }),
      z.object({
        ...fieldFacts,
        type: z.enum(["category", "boolean"]),
        /** Different names; `names` has the most frequent ones. */
        nameCount: count,
        names: z.array(z.object({ name: z.string(), rowCount: count })),
      }),
    ]),
  ),
});
export type FieldStatistics = z.output<typeof fieldStatisticsSchema>;

export const leftOutSchema = z.array(
  z.object({
    digest,
    contributorId: count.nullable(),
    outcome: outcomeSchema,
    objections: z.array(signedOf("objection")),
    withdrawnAtMs: z.number().nullable().default(null),
  }),
);
export type LeftOutRow = z.output<typeof leftOutSchema>[number];

export const hostCommitsSchema = z.array(
  z.object({
    commitIndex: count,
    rowsRoot: root,
    contributorId: count,
    rowCount: count,
    isFinal: z.boolean(),
    committedAtMs: z.number().nullable(),
    receivedCount: count,
    isComplete: z.boolean(),
    verdict: signedOf("verdict").nullable(),
  }),
);
export type HostCommitView = z.output<typeof hostCommitsSchema>[number];

const owners = z.object({ contributorId: count, validatorId: count });
export const differenceSchema = z.object({
  addedCount: count,
  removedCount: count,
  reassignedCount: count,
  keptCount: count,
  total: count,
  from: count,
  changes: z.array(
    z.object({
      change: z.enum(["added", "removed", "reassigned"]),
      digest,
      before: owners.optional(),
      after: owners.optional(),
    }),
  ),
});
export type VersionDifference = z.output<typeof differenceSchema>;

export const citationSchema = z.object({
  version: count,
  rowsRoot: root,
  rowCount: count,
  licence: z.string(),
  contact: z.string(),
  text: z.string(),
  bibtex: z.string(),
});
export type Citation = z.output<typeof citationSchema>;

export const knownRowsSchema = z.object({
  known: z.array(z.object({ place: count, datanetId: count, contributorId: count })),
});
