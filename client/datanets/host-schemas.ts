/**
 * Schemas of a Datanet host's answers about Datanets, versions, commits and findings. All reads of client/datanets/ parse by
 * them; times are in Unix milliseconds.
 */

import { ROW_KINDS } from "@openledger/attribution/rows/row-kinds";
import { cardSchema } from "@openledger/datanets/card/card";
import { FINDING_KINDS } from "@openledger/datanets/cleaning/finding";
import { z } from "zod";

const root = z.string().regex(/^0x[0-9a-f]{64}$/);
const count = z.int().nonnegative();

export const failureSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string().default(""),
    data: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** Name of a server whose requests are signed: this host's, and a factory's. */
export const hostNameSchema = z.object({
  origin: z.string(),
  session: z.string(),
  domain: root,
  rollupAddress: z.string(),
});
export type HostName = z.output<typeof hostNameSchema>;

export const hostInfoSchema = hostNameSchema.extend({
  limits: z.object({ maxRowBytes: count, maxChunkBytes: count, maxCommitRows: count }),
});
export type HostInfo = z.output<typeof hostInfoSchema>;

const accessSummary = {
  askedCount: count,
  unansweredCount: count,
  oldestUnansweredAtMs: z.number().nullable(),
};
const here = z.object({
  rowCount: count,
  commitCount: count,
  completeCommitCount: count,
  hasVersion: z.boolean(),
  recordCount: count,
});

export const directorySchema = z.object({
  total: count,
  datanets: z.array(
    z.object({
      id: count,
      name: z.string(),
      field: z.string(),
      tags: z.array(z.string()),
      licence: z.string(),
      description: z.string(),
      rowKind: z.enum(ROW_KINDS),
      labels: z.array(z.string()),
      access: z.object({ kind: z.enum(["public", "permissioned"]), ...accessSummary }),
      version: count,
      rowCount: count,
      isCardCurrent: z.boolean(),
      here,
    }),
  ),
});
export type DatanetDirectory = z.output<typeof directorySchema>;

export const hostedSchema = z.object({
  id: count,
  card: cardSchema,
  policy: root,
  isCardCurrent: z.boolean(),
  ledger: z.object({
    version: count,
    rowCount: count,
    rowsRoot: root,
    policy: root,
    l1Owner: z.string(),
    keyX: root,
    publishedAt: count,
  }),
  here,
  access: z.object(accessSummary),
});
export type HostedDatanetFacts = z.output<typeof hostedSchema>;

export const receivedSchema = z.object({
  rowsRoot: root,
  rowCount: count,
  receivedCount: count,
  isComplete: z.boolean(),
});
export const missingSchema = receivedSchema.extend({
  missing: z.array(z.object({ from: count, count: z.int().positive() })),
});

export const versionsSchema = z.array(
  z.object({
    version: count,
    rowsRoot: root,
    rowCount: count,
    policy: root,
    isFinal: z.boolean(),
    publishedAtMs: z.number().nullable(),
    isHere: z.boolean(),
  }),
);
export type HostVersionView = z.output<typeof versionsSchema>[number];

export const recordResultsSchema = z.object({
  results: z.array(
    z.object({
      id: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});
export type RecordResult = z.output<typeof recordResultsSchema>["results"][number];

const permille = z.int().nullable();
export const checkStateSchema = z.object({
  running: z.object({ datanetId: count, step: z.string(), done: count, total: count }).nullable(),
  /** The reason that the last check did not finish. */
  failure: z.string().nullable(),
  last: z
    .object({
      rowCount: count,
      checkedAtMs: z.number(),
      /** Rows of other Datanets that the check had no room for. */
      uncomparedCount: count.default(0),
      isCurrent: z.boolean(),
    })
    .nullable(),
});
export type CheckState = z.output<typeof checkStateSchema>;

const objection = z.object({ note: z.string(), atMs: z.number(), isAnswered: z.boolean() }).nullable();
const decision = {
  isLeftOut: z.boolean(),
  why: z.string(),
  note: z.string(),
  byId: count,
  atMs: z.number(),
};

export const findingsSchema = z.object({
  check: checkStateSchema,
  counts: z.array(
    z.object({ kind: z.enum(FINDING_KINDS), total: count, open: count, leftOut: count, kept: count }),
  ),
  total: count,
  findings: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(FINDING_KINDS),
      state: z.enum(["open", "leftOut", "kept", "byRule"]),
      row: z.string(),
      contributorId: count,
      commit: root.nullable(),
      index: count.nullable(),
      evidence: z.object({
        earlier: z.object({ datanetId: count, row: z.string(), contributorId: count }).nullable(),
        similarityPermille: permille,
        label: z.string().nullable(),
        said: z.string().nullable(),
        by: z.enum(["labellers", "model"]).nullable(),
        without: z.enum(["contributor", "row"]).nullable().optional(),
        rankPermille: permille,
        influencePermille: permille,
        detail: z.string(),
      }),
      decision: z.object(decision).nullable(),
      objection,
    }),
  ),
});
export type FindingsPage = z.output<typeof findingsSchema>;

export const noticesSchema = z.object({
  total: count,
  notices: z.array(
    z.discriminatedUnion("about", [
      z.object({ about: z.literal("row"), datanetId: count, row: z.string(), ...decision, objection }),
      z.object({
        about: z.literal("contribution"),
        datanetId: count,
        commit: root,
        note: z.string(),
        byId: count,
        atMs: z.number(),
      }),
    ]),
  ),
});
export type NoticesPage = z.output<typeof noticesSchema>;
