/**
 * Events that a host tells accounts and Datanets of: names, fields and the sentence of each. Feeds, webhooks and pages show them.
 * All are made of what the ledger and the public records say.
 */
import { z } from "zod";

/** Kinds, with whom each is for. */
export const EVENT_KINDS = [
  /** To a contributor or validator: answers of a model that has their rows were paid. At most one an hour and model. */
  "row.used",
  /** To a contributor: a row has contradicting labels, or a reviewer leaves it out. To a Datanet: a contributor objects. */
  "row.disputed",
  /** To a contributor or validator: an epoch was settled, and the amount can be claimed. */
  "paid.out",
  /** To a Datanet: an account asks to read its rows. */
  "access.requested",
  /** To an account: its request was granted or refused. */
  "access.answered",
  /** To a Datanet: a model of its rows waits for approval. */
  "model.waits",
  /** To a Datanet, and to the models whose versions have the row: it was withdrawn. */
  "row.withdrawn",
  /** To who has added a webhook, and asks for a trial. */
  "test",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

const id = z.int().nonnegative();
/** Fields of all kinds; each kind has those that it needs. Amounts are decimal wei. */
export const eventDataSchema = z.strictObject({
  datanetId: id.optional(),
  modelId: id.optional(),
  epoch: id.optional(),
  /** Paid answers since the last such event. */
  paymentCount: id.optional(),
  /** Rows of the account in the model. */
  rowCount: id.optional(),
  amountWei: z
    .string()
    .regex(/^\d{1,40}$/)
    .optional(),
  /** SHA-256 of a row; absent where the Datanet is permissioned. */
  row: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  byId: id.optional(),
  answer: z.enum(["grant", "refuse"]).optional(),
  why: z.enum(["labels", "left-out", "objection"]).optional(),
});
export type EventData = z.output<typeof eventDataSchema>;

/** An event before it is stored. */
export interface NewEvent {
  /** Name of what happened: the same name is the same event, whichever host has seen it. */
  readonly name: string;
  readonly kind: EventKind;
  /** Leaf that is told. */
  readonly leafId: number;
  readonly datanetId: number | null;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly data: EventData;
}

export interface StoredEvent extends Omit<NewEvent, "name"> {
  /** Grows with each event of the host's database; a restored database gives some again. */
  readonly id: number;
  /** 32 hexadecimal digits, the same for this event at every host and after every restore. */
  readonly uid: string;
}

/** Wei of one OPEN. */
const OPEN_WEI = 10n ** 18n;
/** Decimal digits of an amount in a sentence. */
const DIGITS = 6;

/** Amount as people read it: "1.25", "0.000001"; less is "under 0.000001". */
export function openText(wei: bigint): string {
  const unit = OPEN_WEI / 10n ** BigInt(DIGITS);
  if (wei > 0n && wei < unit) return `under 0.${"0".repeat(DIGITS - 1)}1`;
  const part = String((wei % OPEN_WEI) / unit)
    .padStart(DIGITS, "0")
    .replace(/0+$/, "");
  return `${wei / OPEN_WEI}${part === "" ? "" : `.${part}`}`;
}

/** Event in one sentence. */
export function sentenceOf({ data, kind }: Pick<StoredEvent, "data" | "kind">): string {
  const { amountWei, answer, byId, datanetId, epoch, modelId, paymentCount = 0, rowCount = 0, why } = data;
  const rows = rowCount === 1 ? "1 row" : `${rowCount} rows`;
  switch (kind) {
    case "row.used":
      return `${paymentCount === 1 ? "An answer" : `${paymentCount} answers`} of model ${modelId}, which has ${rows} of yours, ${paymentCount === 1 ? "was" : "were"} paid.`;
    case "paid.out":
      return `Epoch ${epoch} of model ${modelId} is settled: you can claim ${openText(BigInt(amountWei ?? 0))} OPEN.`;
    case "row.disputed":
      if (why === "objection")
        return `Account ${byId} objects to a decision on a row of Datanet ${datanetId}.`;
      return why === "left-out"
        ? `${byId === datanetId ? "The owner" : `A reviewer, account ${byId},`} leaves a row of yours out of Datanet ${datanetId}.`
        : `Labellers contradict each other on a row of yours in Datanet ${datanetId}.`;
    case "access.requested":
      return `Account ${byId} asks to read the rows of Datanet ${datanetId}.`;
    case "access.answered":
      return `Datanet ${datanetId} ${answer === "grant" ? "lets you read its rows" : "refuses your request to read its rows"}.`;
    case "model.waits":
      return `Model ${modelId}, trained on Datanet ${datanetId}, waits for your approval.`;
    case "row.withdrawn":
      return modelId === undefined
        ? `Account ${byId} withdrew a row of Datanet ${datanetId}: the next version leaves it out.`
        : `Account ${byId} withdrew a row of Datanet ${datanetId} that model ${modelId} may have: publish it no more, and train on the next version.`;
    case "test":
      return "This is a trial of your webhook.";
    default:
      return kind satisfies never;
  }
}
