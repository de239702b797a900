/**
 * Schemas of the tools' results. They are closed: a client that has listed the tools refuses a field that none of them declares.
 * Wei are decimal texts.
 */
import { ASSURANCES } from "@openledger/client/actions/answers/model-answers";
import { z } from "zod";
import { STATES } from "../asking/question-record.ts";
import { openledgerSchema, rowSchema } from "../asking/received-answer.ts";

const leafId = z.int().nonnegative();
const wei = z.string().regex(/^\d+$/).describe("whole wei of OPEN");
const open = z.string().describe("decimal OPEN");
const assurance = z.enum(ASSURANCES);

export const modelsResult = z.strictObject({
  maxPriceOpen: open.describe("maximum of price and fee of one answer"),
  models: z.array(
    z.strictObject({
      name: z.string().describe("name for the tool ask"),
      modelId: leafId,
      priceWei: wei,
      priceOpen: open,
      isPayable: z.boolean().describe("false: the ledger takes no payment for it now"),
      isWithinPrice: z.boolean().describe("true if price and fee are within the maximum"),
      datanets: z.array(leafId).describe("Datanets whose rows its answers pay"),
      version: z.int().nonnegative(),
      assurance: z
        .strictObject({ answer: assurance, query: assurance, rows: assurance })
        .nullable()
        .describe("what a paid answer is checked for; null: the model's server did not give its recipe"),
      figure: z
        .string()
        .nullable()
        .describe(
          "how often it labels unseen rows right, as its leaf has signed, or why that is not shown; null: not known",
        ),
    }),
  ),
});

export const askResult = z.strictObject({
  text: z.string(),
  finish: z.enum(["stop", "length", "tool_calls"]),
  openledger: openledgerSchema,
});

/** Maximum characters of a row's text, or of its excerpt. */
export const MAX_ROW_TEXT = 2_000;
/** Lists that the digest of a row was compared with: the receipt's citations, the version's rows by the ledger's root, or none. */
export const ROW_CHECKS = ["receipt", "version", "none"] as const;

/** Maximum spans of an explained answer. */
export const MAX_SPANS = 16;
const spansSchema = z.strictObject({
  whyNot: z
    .string()
    .nullable()
    .describe("why no rows were searched: not published, withdrawn, too large, or an error's code"),
  searchedRowCount: z.int().nonnegative(),
  found: z
    .array(
      z.strictObject({
        text: z.string().max(MAX_ROW_TEXT),
        rowCount: z.int().positive().describe("searched rows that have it"),
        rows: z.array(z.int().nonnegative()).describe("the first few of them, from 0 on"),
      }),
    )
    .max(MAX_SPANS),
});

export const explainResult = z.strictObject({
  receipt: z.string(),
  modelId: leafId,
  state: z.enum(STATES).describe("paid: the ledger has the payment"),
  paymentHash: z.string(),
  /** Stage of the payment's operation by the sequencer. */
  paymentStage: z
    .string()
    .nullable()
    .describe("posted and final: Ethereum has it; null: the sequencer does not tell"),
  priceOpen: open,
  text: z.string(),
  rows: z.array(
    rowSchema.extend({
      text: z
        .string()
        .max(MAX_ROW_TEXT)
        .nullable()
        .describe(
          "the row's beginning: data, other people's words; null: not published, or another row was given",
        ),
      check: z
        .enum(ROW_CHECKS)
        .describe(
          "receipt: the digest is the receipt's; version: it is in the version's list; none: the model's server says it",
        ),
    }),
  ),
  spans: spansSchema.describe(
    "parts of the answer that occur word for word in published rows; shown, not paid",
  ),
});

export const rowsResult = z.strictObject({
  datanetId: leafId,
  total: z.int().nonnegative().describe("rows that match; a lower bound where isTotalExact is false"),
  isTotalExact: z.boolean(),
  rows: z.array(
    z.strictObject({
      digest: z.string().describe("SHA-256 of the row"),
      contributorId: leafId,
      label: z.string().nullable(),
      state: z.string(),
      excerpt: z.string().max(MAX_ROW_TEXT),
    }),
  ),
});

export const contributeResult = z.strictObject({
  datanetId: leafId,
  rowsRoot: z.string().describe("root that the ledger has"),
  rowCount: z.int().nonnegative(),
  contributorId: leafId.describe("account that earns by the rows: the gateway's"),
  state: z
    .enum(["committed", "uploaded"])
    .describe(
      "committed: call again with the same rows once the commit is final on Ethereum, to upload them",
    ),
  operationHash: z
    .string()
    .nullable()
    .describe("operation that committed the rows; null: an earlier call did"),
});

export const accountResult = z.strictObject({
  leafId: leafId.describe("the gateway's account"),
  leftWei: wei,
  leftOpen: open.describe("balance that no answer in the making will take"),
  maxPriceOpen: open,
  answerCount: z.int().nonnegative().describe("answers paid, of those that the gateway remembers"),
  spentOpen: open.describe("their prices, without fees"),
  payments: z
    .array(z.strictObject({ modelId: leafId, receipt: z.string(), priceOpen: open, atMs: z.number() }))
    .describe("the newest, up to 20"),
  earnings: z
    .array(
      z.strictObject({
        modelId: leafId,
        role: z.enum(["contributor", "validator"]),
        rowCount: z.int().nonnegative(),
        earnedOpen: open,
        claimableOpen: open,
      }),
    )
    .describe("rewards of the account from models that were settled"),
});
