import { RollupError } from "../../circuits/rollup-error.ts";
import type { Card } from "../../datanets/card/card.ts";
import { promptOf } from "../../datanets/rows/row-view.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { fetchRowContents, findRows } from "./browse-rows.ts";
import { getHostedDatanet } from "./datanet-card.ts";
import type { HostErrorCode, HostedDatanetPlace } from "./host-request.ts";
import { sayRecords, type UnsignedRecord } from "./signed-records.ts";

const PAGE_ROWS = 200;

/** A published model, opened, is one. */
export interface LabellingModel {
  /** @returns confidence: probability of the label, 0 … 1; both null where the model gives no labels */
  answer(prompt: string): { readonly label: string | null; readonly confidence: number | null };
}

export interface SuggestLabelsParameters extends HostedDatanetPlace {
  model: LabellingModel;
  /** How labellers are told which model it is. */
  modelName: string;
  /** The reviewer who signs; default: the client's account. */
  from?: number;
  onProgress?: (doneCount: number, totalCount: number) => void;
}
export type SuggestLabelsErrorCode =
  | "CLI_MODEL_WITHOUT_LABELS"
  | "DNT_RECORD_NOT_ALLOWED"
  | "DNT_NOT_HOSTED"
  | HostErrorCode;

export interface SuggestLabelsReturnType {
  readonly suggestedCount: number;
  /** Rows that wait for labels and that the model cannot read. */
  readonly skippedCount: number;
}

/**
 * Has a model label the rows that wait for labels, and brings what it says as signed suggestions: labellers see them on
 * request, and they decide nothing.
 * @throws CLI_MODEL_WITHOUT_LABELS, DNT_RECORD_NOT_ALLOWED where the signer is no reviewer, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const model = { answer: (prompt: string) => ({ label: prompt.includes("rain") ? "bad" : "good", confidence: 0.8 }) };
 * await suggestLabels(client, { hostUrl, datanetId: 10, model, modelName: "looks for rain" });
 * ```
 */
export async function suggestLabels(
  client: LedgerClient,
  { from, model, modelName, onProgress, ...place }: SuggestLabelsParameters,
): Promise<SuggestLabelsReturnType> {
  const signed = { isSigned: true, ...(from === undefined ? {} : { from }) };
  const { card } = await getHostedDatanet(client, place);
  let suggestedCount = 0;
  let skippedCount = 0;
  for (let after: number | null = 0; after !== null; ) {
    const at = after === 0 ? {} : { after };
    const page = await findRows(client, { ...place, ...signed, ...at, state: "waiting", limit: PAGE_ROWS });
    const records: UnsignedRecord[] = [];
    const digests = page.rows.map(({ digest }) => digest);
    for (let read = 0; read < digests.length; ) {
      const asked = { digests: digests.slice(read), maxRowBytes: card.row.maxBytes };
      for (const content of await fetchRowContents(client, { ...place, ...signed, ...asked })) {
        const suggestion = suggestionOf(card, model, content);
        if (suggestion === null) skippedCount += 1;
        else records.push({ kind: "suggestion", row: digests[read]!, ...suggestion, model: modelName });
        read += 1;
      }
    }
    for (const { error } of await sayRecords(client, {
      ...place,
      records,
      ...(from === undefined ? {} : { from }),
    })) {
      if (error !== null) throw new RollupError(error.code, error.message);
      suggestedCount += 1;
    }
    onProgress?.(suggestedCount + skippedCount, page.total);
    after = page.next;
  }
  return { suggestedCount, skippedCount };
}

/** null for a row that the model cannot read. @throws CLI_MODEL_WITHOUT_LABELS */
function suggestionOf(card: Card, model: LabellingModel, content: Uint8Array) {
  const prompt = promptOf(card, content);
  if (prompt === null) return null;
  const { confidence, label } = model.answer(prompt);
  if (label === null || confidence === null || !card.labels.some(({ name }) => name === label))
    throw clientError(
      "CLI_MODEL_WITHOUT_LABELS",
      label === null ? "the model answers without labels" : `the model says "${label}", no label of the card`,
      { data: { label } },
    );
  return { label, confidencePermille: Math.round(1_000 * confidence) };
}
