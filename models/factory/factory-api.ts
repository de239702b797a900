/**
 * The ModelFactory's API: what goes over the wire, for server, client, command line and pages. Runs in browsers.
 *
 * All bodies are JSON; amounts are decimal text in wei, times milliseconds since 1970, field elements 0x-hex. A refusal is
 * {"error": {code, message, data}}. Routes marked S are signed (datanets/records/signed-request.ts) by a leaf of the
 * ledger, and show that leaf's own things alone.
 *
 *   GET    /v1/info                        infoSchema
 *   GET    /v1/bases                       baseSchema[]
 *   POST   /v1/bases                     S {place} → baseSchema: a folder or an address that the operator allows; a hub's name
 *                                          → baseCopySchema while its files are fetched: ask again
 *   POST   /v1/bases/plans               S {place} → basePlanSchema: what a hub's base takes, before it is fetched
 *   GET    /v1/datasets                  S datasetSchema[]
 *   POST   /v1/datasets                  S datasetRequestSchema → datasetSchema; what is there already is answered again
 *   GET    /v1/datasets/:id              S datasetSchema
 *   POST   /v1/datasets/:id/signatures   S {headers} → datasetSchema: one header for each of `asked`, in its order
 *   DELETE /v1/datasets/:id              S {}: rows that no job uses
 *   POST   /v1/forms                     S {baseId, datasetId} → formViewSchema: defaults that fit base and rows; without a base
 *                                          for a model that sorts
 *   POST   /v1/estimates                 S jobRequestSchema → estimateSchema: measured by a few steps, takes seconds
 *   GET    /v1/jobs                      S jobSchema[], newest first
 *   POST   /v1/jobs                      S jobRequestSchema → jobSchema
 *   GET    /v1/jobs/:id                  S jobSchema
 *   DELETE /v1/jobs/:id                  S {}: a job that does not run, with all that it made
 *   POST   /v1/jobs/:id/pause|resume|stop S → jobSchema; resume also goes on with a failed one
 *   GET    /v1/jobs/:id/events?after=N   S server-sent events, each data: jobEventSchema, those after number N first
 *   POST   /v1/jobs/:id/compare          S compareRequestSchema → compareSchema
 *   GET    /v1/jobs/:id/registration     S registrationSchema
 *   POST   /v1/jobs/:id/registration     S {modelId} → registrationSchema: proves the activation of a model that was created
 *   POST   /v1/jobs/:id/exports          S {form} → exportSchema
 *   GET    /v1/jobs/:id/files/:form/:file S bytes
 *   GET    /v1/jobs/:id/lineage          S lineageSchema
 *   POST   /v1/jobs/:id/served           S {isServed} → jobSchema: whether questions to its registered model are answered here
 *   GET    /ledger                         {models: {modelId}[]}: registered models served here
 *   *      /ledger/:model/…                a model's routes (docs/reference/attribution.md)
 */

import { figureSchema } from "@openledger/attribution/model/model-figure";
import { staticsSchema } from "@openledger/attribution/model/model-manifest";
import { MODEL_USES, rowTermsSchema } from "@openledger/attribution/model/recipe-fields";
import { tellingColumnSchema } from "@openledger/attribution/model/telling-words";
import { maxPromptChars } from "@openledger/attribution/rows/row-content";
import { ROW_KINDS } from "@openledger/attribution/rows/row-kinds";
import { DATANET_COUNT_MAX, SHARD_COUNT_MAX } from "@openledger/circuits/protocol";
import { payee } from "@openledger/circuits/wire/wire-fields";
import { failureSchema as refusalSchema } from "@openledger/client/datanets/host-schemas";
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { z } from "zod";
import { WEIGHT_NUMBERS } from "../engine/architecture/model-shape.ts";

const count = z.int().min(0);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const wei = z.string().regex(/^\d{1,30}$/);
const timeMs = z.number();
/** Id of a base, a data set or a job. */
export const nameId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
const address = z.string().max(2_000);

export const infoSchema = z.object({
  /** The address that requests are signed for. */
  origin: z.string(),
  /** Random at each start: signed requests name it. */
  session: z.string(),
  domain: hex32,
  chainId: count,
  rollupAddress: z.string(),
  /** Accounts that may train: every leaf of the ledger, or these. */
  accounts: z.union([z.literal("any"), z.array(leafId)]),
  /** Datanet hosts that rows are fetched from. */
  datanetHosts: z.array(z.string()),
  /** Beginnings of places of bases that are accepted: folders and addresses; empty = only the bases of the list. */
  basePlaces: z.array(z.string()),
  kernels: z.string(),
  threadCount: count,
  limits: z.object({
    maxRows: count,
    maxDatasetBytes: count,
    maxSteps: count,
    maxJobsPerAccount: count,
    maxRunning: count,
  }),
});
export type FactoryInfo = z.output<typeof infoSchema>;

export const baseSchema = z.object({
  id: nameId,
  name: z.string(),
  /** own = comes with this software, and is checked against its hash. */
  source: z.enum(["own", "folder", "address"]),
  /** Licence as the model's card names it; null if the card names none. */
  licence: z.string().nullable().default(null),
  family: z.string(),
  parameterCount: count,
  layerCount: count,
  width: count,
  vocabularySize: count,
  maxPositions: count,
  sizeBytes: count,
  /** SHA-256 of the file of weights; of the index if there are shards. */
  sha256,
  targets: z.array(z.string()),
});
export type FactoryBase = z.output<typeof baseSchema>;
export const baseRequestSchema = z.strictObject({
  place: address.min(1).refine(isStorableText, "has characters that no place has"),
});

/** Disk and memory that a hub's base takes, with weights of 32 bits. */
export const basePlanSchema = z.object({
  name: z.string(),
  commit: z.string().nullable(),
  licence: z.string().nullable(),
  family: z.string(),
  parameterCount: count,
  sizeBytes: count,
  freeBytes: count,
  memoryBytes: count,
});
export type FactoryBasePlan = z.output<typeof basePlanSchema>;
/** Bytes of a hub's base that are here, and of all its files; 0 of 0 before they are known. */
export const baseCopySchema = z.object({ state: z.literal("copying"), done: count, total: count });
export type FactoryBaseCopy = z.output<typeof baseCopySchema>;

/** A Datanet's version at a host; null = the present one. */
const versionLocation = { hostUrl: address, datanetId: leafId, version: z.int().min(1).nullable() };
const versionsRequestSchema = z.strictObject({
  kind: z.literal("datanet"),
  ...versionLocation,
  further: z
    .array(z.strictObject(versionLocation))
    .max(DATANET_COUNT_MAX - 1)
    .optional(),
  /** Takes the labels without records that the present key of their leaf did not sign; absent: such records are refused. */
  withoutUnsigned: z.boolean().optional(),
  /** Signed requests for the records of permissioned Datanets, by which rows have their labels: each for one page of a host. */
  records: z
    .array(z.strictObject({ url: address, header: z.string().max(1_000) }))
    .max(1_024)
    .optional(),
});
/** Published versions, of one Datanet or of several in the order of the recipe. */
export type DatasetRequest = z.input<typeof versionsRequestSchema>;
/** Earlier clients upload rows of no Datanet, which is refused by name. */
export const datasetRequestSchema = z.discriminatedUnion("kind", [
  versionsRequestSchema,
  z.object({ kind: z.literal("upload") }),
]);

/** Use of a model: it sorts rows by their labels, predicts a column, or writes. */
const useSchema = z.enum(["sort", "predict", "write"]);
export type FactoryUse = z.output<typeof useSchema>;

const datasetVersionSchema = z.object({
  id: leafId,
  version: count,
  rowsRoot: hex32,
  hostUrl: z.string(),
  isPublic: z.boolean(),
  /** Root of the accepted labels; null for rows that are read without. */
  labelsRoot: hex32.nullable().default(null),
  licence: z.string().nullable().default(null),
});
export type DatasetVersion = z.output<typeof datasetVersionSchema>;

export const datasetSchema = z.object({
  id: nameId,
  name: z.string(),
  /** waiting = rows are missing, and `asked` lists the requests to sign for them. */
  state: z.enum(["waiting", "ready"]),
  /** null for rows that an earlier version took without a Datanet: their jobs stay, and no job begins on them. */
  datanet: datasetVersionSchema.nullable(),
  /** Further Datanets, in their places. */
  further: z.array(datasetVersionSchema).default([]),
  rowKind: z.enum(ROW_KINDS).default("passage"),
  /** Labels of the card, each with the rows that have it accepted; null for rows that are read without. */
  labels: z
    .array(z.object({ name: z.string(), rowCount: count }))
    .nullable()
    .default(null),
  /** Models that the rows can become. A use with a reason is refused, and `remedy` says what to change. */
  uses: z
    .array(z.object({ use: useSchema, whyNot: z.string().nullable(), remedy: z.string().nullable() }))
    .default([]),
  /** Terms of the rows, together where they are the same; empty: not looked at. */
  terms: z.array(rowTermsSchema).default([]),
  rowCount: count,
  receivedCount: count,
  byteCount: count,
  people: z.array(payee),
  /**
   * Requests to the Datanet's host that only a leaf with a grant may make. The leaf signs them, and the factory sends them:
   * its key stays where it is. Each asks for rows of this Datanet by their SHA-256, and for nothing else.
   */
  asked: z.array(
    z.object({
      origin: z.string(),
      session: z.string(),
      method: z.literal("POST"),
      path: z.string(),
      /** SHA-256 of rows, 64 hexadecimal digits each: the body is these bytes, one after another. */
      digests: z.array(sha256),
    }),
  ),
  createdAtMs: timeMs,
});
export type FactoryDataset = z.output<typeof datasetSchema>;
export const signaturesRequestSchema = z.strictObject({ headers: z.array(z.string().max(1_000)).max(256) });

/** Maximum fields of a table, as a card has them. */
const MAX_FIELDS = 60;

/** Minimum, maximum, and the step of a slider if there is one. */
export const FORM_LIMITS = {
  folds: { min: 0, max: 20 },
  /** Smoothing of a model that sorts. Without any, its training has no end. */
  decay: { min: 1e-6, max: 0.5 },
  /** Weight decay of a language model. */
  weightDecay: { min: 0, max: 0.5 },
  rank: { min: 1, max: 64 },
  alpha: { min: 0.1, max: 1_000 },
  rounds: { min: 0.1, max: 1_000 },
  rowsPerStep: { min: 1, max: 256 },
  rate: { min: 1e-6, max: 0.1 },
  lastPart: { min: 0, max: 1 },
  rowTokens: { min: 2, max: 8_192 },
  heldOutRows: { min: 0, max: 1_024 },
  answerTokens: { min: 1, max: 1_024 },
  temperature: { min: 0, max: 10 },
  ownerPercent: { min: 0, max: 90 },
  validatorPercent: { min: 0, max: 99 },
  citationPercent: { min: 0, max: 100 },
} as const;

const within = (field: keyof typeof FORM_LIMITS) =>
  z.number().min(FORM_LIMITS[field].min).max(FORM_LIMITS[field].max);
const wholeWithin = (field: keyof typeof FORM_LIMITS) => within(field).int();

/** Fields of every form. */
const commonForm = {
  name: z.string().min(1).max(80),
  seed: z.string().min(1).max(64),
  /** Shares of each payment for the model's owner, and of rows' earnings for their validator, in percent. */
  ownerPercent: within("ownerPercent"),
  validatorPercent: within("validatorPercent"),
  /** The model that this one replaces; 0 = none. */
  predecessorId: leafId,
  /** true: the model is published with its rows. */
  publishRows: z.boolean(),
  /** true, with `publishRows`: though some of the rows are of a permissioned Datanet. */
  publishPermissionedRows: z.literal(true).optional(),
  /** Purpose of the model, which its rows' terms allow or forbid. Absent: it answers for pay. */
  modelUse: z.enum(MODEL_USES).optional(),
};

/** Form of a model that sorts, or predicts a column: a logistic model. */
const sortFormSchema = z.strictObject({
  use: z.enum(["sort", "predict"]),
  ...commonForm,
  /** Penalty on large weights: more of it makes a smoother model, which fits its rows less closely. null: by their number. */
  decay: within("decay").nullable(),
  /**
   * Folds of the rows: each is judged by a model of the others, which gives accuracy and confusion matrix. The registered
   * model learns from all rows. 0: nothing is judged.
   */
  folds: wholeWithin("folds"),
  /** Names of a table's fields that count. Absent: all but the labels' and those that number the rows. */
  countedFields: z.array(z.string().min(1).max(60)).min(1).max(MAX_FIELDS).optional(),
});
export type SortForm = z.output<typeof sortFormSchema>;

/** Form of a language model. */
const writeFormSchema = z.strictObject({
  use: z.literal("write"),
  ...commonForm,
  rank: wholeWithin("rank"),
  alpha: within("alpha"),
  targets: z.array(z.string().max(40)).min(1).max(11),
  /** Numbers of the base's matrices. Absent in older jobs: by the base's size. */
  weights: z.enum(WEIGHT_NUMBERS).optional(),
  /** Times that the tuning goes through all rows; at least 20 steps are made. */
  rounds: within("rounds"),
  rowsPerStep: wholeWithin("rowsPerStep"),
  rate: within("rate"),
  /** Part of the rate that is left at the last step. */
  lastPart: within("lastPart"),
  decay: within("weightDecay"),
  /** A longer row is refused, never cut. */
  rowTokens: wholeWithin("rowTokens"),
  /** Drawn by lot from the rows: they are not trained on, and so earn nothing by this model. */
  heldOutRows: wholeWithin("heldOutRows"),
  answerTokens: wholeWithin("answerTokens"),
  temperature: within("temperature"),
  /** Prompts continued at intervals during training; if empty, beginnings of held-out rows. */
  samplePrompts: z.array(z.string().min(1).max(2_000)).max(4),
  /**
   * Share of payments for rows that answers cite, in percent; the rest goes by influence. 0: answers are written without rows.
   * A card that names a share decides it.
   */
  citationPercent: within("citationPercent"),
});
export type WriteForm = z.output<typeof writeFormSchema>;
export const formSchema = z.discriminatedUnion("use", [sortFormSchema, writeFormSchema]);
export type FactoryForm = z.output<typeof formSchema>;

/** Without a base for a model that sorts. */
export const formRequestSchema = z.strictObject({ baseId: nameId.nullable(), datasetId: nameId });
export const jobRequestSchema = z.strictObject({ ...formRequestSchema.shape, form: formSchema });
export type JobRequest = z.input<typeof jobRequestSchema>;

/** Says if the rollup has a circuit for the model. A job that cannot be registered may still be trained and exported. */
const registrable = { isRegistrable: z.boolean(), whyNot: z.string().nullable() };

export const formViewSchema = z.object({
  form: formSchema,
  /** Terms of the rows, as the data set has them. */
  terms: z.array(rowTermsSchema).default([]),
  rowCount: count,
  payeeCount: count,
  columnCount: count,
  drawCount: count,
  /** true: some of the rows are of a permissioned Datanet. */
  isPermissioned: z.boolean().default(false),
  ...registrable,
});
export type FormView = z.output<typeof formViewSchema>;

export const estimateSchema = z.object({
  steps: count,
  trainedRowCount: count,
  /** Figures in tokens are null for a model that sorts. */
  tokenCount: count.nullable(),
  longestRowTokens: count.nullable(),
  /** Measured: a few steps by the same code on this machine, beside whatever runs there now. */
  measuredSteps: count,
  stepMs: z.number(),
  tokensPerSecond: z.number().nullable(),
  seconds: z.object({ load: z.number(), tune: z.number(), features: z.number(), total: z.number() }),
  memoryBytes: count,
  /** Fields of a table, in the card's order, with their part in the model. */
  fields: z.array(z.object({ name: z.string(), part: z.enum(["counts", "left-out", "labels"]) })).default([]),
  /** Columns that number the rows, or tell the label by themselves. */
  telling: z.array(tellingColumnSchema).default([]),
  /** Jobs before this one. */
  queuedBefore: count,
  /** Fee of creating the model at today's rate; null if it cannot be registered. */
  registerFeeWei: wei.nullable(),
});
export type FactoryEstimate = z.output<typeof estimateSchema>;

export const jobStateSchema = z.enum([
  "queued",
  "running",
  "pausing",
  "paused",
  "stopping",
  "done",
  "failed",
]);
export type JobState = z.output<typeof jobStateSchema>;
export const jobStageSchema = z.enum(["waiting", "load", "train", "features", "commit", "write"]);
export type JobStage = z.output<typeof jobStageSchema>;

const failureSchema = refusalSchema.shape.error;

const rowsLossSchema = z.object({ natsPerToken: z.number(), bitsPerByte: z.number() });
const changeSchema = z.object({ rowCount: count, before: rowsLossSchema, after: rowsLossSchema });
/** Rows judged by models that have not learned from them. */
const accuracySchema = z.object({
  foldCount: count,
  judgedCount: count,
  rightCount: count,
  /** Judged rows with the most frequent label: what a model gets right that always answers it. */
  commonestCount: count,
  /** Judged rows that plain logistic regression labels right on the same folds; null of earlier jobs. */
  plainCount: count.nullable().default(null),
  /** True where all rows of a contributor are in one fold; near copies always are. */
  isByContributor: z.boolean().default(false),
  /** Columns that number the rows, or tell the label by themselves. */
  telling: z.array(tellingColumnSchema).default([]),
  labels: z.array(z.string()),
  /** confusion[i][j]: rows with label i that were answered j. */
  confusion: z.array(z.array(count)),
});
export type FactoryAccuracy = z.output<typeof accuracySchema>;

const resultSchema = z.object({
  /** models/tuning/training/row-losses.ts; null for a model that sorts. */
  losses: z
    .object({
      steps: count,
      keptStep: count,
      trained: changeSchema,
      heldOut: changeSchema.nullable(),
    })
    .nullable(),
  /** null for a language model, and where nothing was judged. */
  accuracy: accuracySchema.nullable().default(null),
  /** Part of its own rows that a sorting model labels as was accepted. */
  fit: z.number().nullable().default(null),
  adapterSha256: sha256.nullable(),
  recipeHash: sha256.nullable(),
  staticsHash: hex32.nullable(),
  /** Seconds of computing, without pauses. */
  seconds: z.number(),
});
export type JobResult = z.output<typeof resultSchema>;

export const jobSchema = z.object({
  id: nameId,
  leafId,
  state: jobStateSchema,
  stage: jobStageSchema,
  /** null for a model that sorts. */
  baseId: nameId.nullable(),
  baseName: z.string().nullable(),
  datasetId: nameId,
  form: formSchema,
  createdAtMs: timeMs,
  /** Jobs before this one while it is queued. */
  queuedBefore: count,
  step: count,
  steps: count,
  rowCount: count,
  heldOutCount: count,
  loss: z.number().nullable(),
  heldOutLoss: z.number().nullable(),
  /** Part of the judged rows that were answered right, so far. */
  accuracy: z.number().nullable().default(null),
  tokensPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** Number of its last event. */
  lastEvent: count,
  failure: failureSchema.nullable(),
  result: resultSchema.nullable(),
  ...registrable,
  modelId: leafId.nullable(),
  /** true: the factory answers questions to the registered model. */
  isServed: z.boolean().default(false),
});
export type FactoryJob = z.output<typeof jobSchema>;

/** Numbered from 1 without a gap; each number has one event for ever, whatever is killed in between. */
const numbered = { number: count, atMs: timeMs };
export const jobEventSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("state"),
    ...numbered,
    state: jobStateSchema,
    failure: failureSchema.nullable(),
  }),
  z.object({ kind: z.literal("stage"), ...numbered, stage: jobStageSchema, done: count, total: count }),
  z.object({
    kind: z.literal("step"),
    ...numbered,
    /** 1 … steps; the loss is the mean of the step's rows, in nats a token. */
    step: count,
    loss: z.number(),
    rate: z.number(),
    tokenCount: count,
    tokensPerSecond: z.number(),
    secondsLeft: z.number(),
  }),
  /** Mean loss of the rows that are held out; step 0 is the base alone. */
  z.object({ kind: z.literal("heldOut"), ...numbered, step: count, loss: z.number(), rowCount: count }),
  z.object({ kind: z.literal("sample"), ...numbered, step: count, prompt: z.string(), text: z.string() }),
  /** The rows with the largest loss when they were last trained on; `row` counts from 0 in the version's order. */
  z.object({
    kind: z.literal("hardest"),
    ...numbered,
    step: count,
    rows: z.array(z.object({ row: count, loss: z.number(), excerpt: z.string() })),
  }),
  /** Rows that models of other rows judged, by the number of rows that they learned from. */
  z.object({
    kind: z.literal("judged"),
    ...numbered,
    step: count,
    trainedRowCount: count,
    judgedCount: count,
    rightCount: count,
  }),
  /** Rows with another answer than their label: hard ones, or wrong labels. */
  z.object({
    kind: z.literal("mistakes"),
    ...numbered,
    step: count,
    rows: z.array(
      z.object({
        row: count,
        label: z.string(),
        answered: z.string(),
        excerpt: z.string(),
        /** Name of the row, and its Datanet among those of the data set, from 0. Absent in events of earlier versions. */
        digest: sha256.optional(),
        datanet: count.optional(),
      }),
    ),
  }),
  z.object({ kind: z.literal("result"), ...numbered, result: resultSchema }),
]);
export type JobEvent = z.output<typeof jobEventSchema>;
/** Event without the number and time that the server gives it. */
export type NewJobEvent = JobEvent extends infer Event
  ? Event extends JobEvent
    ? Omit<Event, "number" | "atMs">
    : never
  : never;

/** Maximum characters of a prompt, and nearly of a request: a picture's file in base64 is the longest. */
export const MAX_COMPARED_CHARS = maxPromptChars("image");
/** Prompts of one's own, or null: those of rows that are held out. */
export const compareRequestSchema = z.strictObject({
  prompts: z.array(z.string().min(1).max(MAX_COMPARED_CHARS)).min(1).max(8).nullable(),
  answerTokens: z.int().min(1).max(256),
});
export const compareSchema = z.object({
  answers: z.array(
    z.object({
      prompt: z.string(),
      /** Continuation that the held-out row has; null for a prompt of one's own. */
      expected: z.string().nullable(),
      /** The base's answer; null for a model that sorts. */
      base: z.string().nullable(),
      /** Answer as the served model gives it, by its rows where it cites some; null where it says rows' answers and none answers. */
      tuned: z.string().nullable(),
      /** Places of the rows that it cites. */
      citedRows: z.array(count),
      /** Loss in nats for each token of the expected continuation. */
      baseLoss: z.number().nullable(),
      tunedLoss: z.number().nullable(),
    }),
  ),
});
export type FactoryComparison = z.output<typeof compareSchema>;

/** Statics as `createModel` of the client takes them, in 0x-hex. */
export type FactoryStatics = z.output<typeof staticsSchema>;

const entryBodySchema = z.object({
  circuit: z.string(),
  data: z.string(),
  publicSignals: z.array(hex32),
  proof: z.object({ a: z.array(hex32), b: z.array(z.array(hex32)), c: z.array(hex32) }),
});

/** Body of the sequencer's POST /v1/settlements, without the model's signature. */
const settlementBodySchema = entryBodySchema.extend({
  kind: z.literal("activation"),
  modelId: leafId,
  settlementHash: hex32,
  /** Payee tables of a model of several shards, behind the first. */
  further: z
    .array(entryBodySchema)
    .max(SHARD_COUNT_MAX - 1)
    .optional(),
});

/**
 * Registration takes three steps, and the key stays with its owner: the owner creates the model on the ledger with
 * `statics`, the factory proves its activation, the owner signs and sends that. models/factory/register-job.ts does all three.
 */
export const registrationSchema = z.object({
  state: z.enum(["unready", "ready", "proving", "proven", "registered", "failed"]),
  ...registrable,
  statics: staticsSchema.nullable(),
  staticsHash: hex32.nullable(),
  recipeHash: sha256.nullable(),
  datanetId: leafId.nullable(),
  rowCount: count,
  payeeCount: count,
  modelId: leafId.nullable(),
  percent: z.number(),
  activation: settlementBodySchema.nullable(),
  /** Figure of unseen rows, for the model's owner to sign; null for a model without, and of earlier releases. */
  figure: figureSchema.nullable().default(null),
  /** True if the factory has the figure that the model's leaf has signed. */
  isFigureSigned: z.boolean().default(false),
  failure: failureSchema.nullable(),
});
export type FactoryRegistration = z.output<typeof registrationSchema>;
export const registrationRequestSchema = z.strictObject({ modelId: leafId });

export const servedRequestSchema = z.strictObject({ isServed: z.boolean() });
/**
 * adapter = PEFT's folder; merged = a whole model with the adapter added into its weights; classifier = a sorting model as JSON;
 * model = what is published.
 */
export const exportFormSchema = z.enum(["adapter", "merged", "classifier", "model"]);
export type ExportForm = z.output<typeof exportFormSchema>;
export const exportRequestSchema = z.strictObject({ form: exportFormSchema });
export const exportSchema = z.object({
  form: exportFormSchema,
  /** Names are those of files in one folder: a caller writes them to its own. */
  files: z.array(
    z.object({ name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/), sizeBytes: count, sha256 }),
  ),
});
export type FactoryExport = z.output<typeof exportSchema>;

export const lineageSchema = z.object({
  /** null for a model that sorts. */
  base: z
    .object({ name: z.string(), files: z.record(z.string(), z.object({ sizeBytes: count, sha256 })) })
    .nullable(),
  datanet: datasetSchema.shape.datanet,
  further: datasetSchema.shape.further,
  datasetName: z.string(),
  people: z.array(
    z.object({ contributorId: leafId, validatorId: leafId, rowCount: count, heldOutCount: count }),
  ),
  recipe: z.unknown(),
  recipeHash: sha256.nullable(),
  adapterSha256: sha256.nullable(),
  staticsHash: hex32.nullable(),
  model: z
    .object({
      id: leafId,
      isReady: z.boolean(),
      isApproved: z.boolean(),
      epoch: count,
      /** Epoch 0 is the activation. */
      settlements: z.array(z.object({ epoch: count, status: z.string(), batchNumber: count })),
      earned: z.array(
        z.object({ contributorId: leafId, validatorId: leafId, contributorWei: wei, validatorWei: wei }),
      ),
    })
    .nullable(),
});
export type FactoryLineage = z.output<typeof lineageSchema>;
