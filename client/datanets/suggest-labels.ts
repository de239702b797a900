import type { Card } from "@openledger/datanets/card/card";
import { RollupError } from "@openledger/foundation/rollup-error";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { fetchRowContents, findRows } from "./browse-rows.ts";
import { getHostedDatanet } from "./datanet-card.ts";
import type { HostErrorCode, HostedDatanetPlace } from "./host-request.ts";
import { sayRecords, type UnsignedRecord } from "./signed-records.ts";

const PAGE_ROWS = 200;

/** What a model says of a row: a label of the card, and how probable it is, 0 … 1. */
export interface RowSuggestion {
  readonly label: string | null;
  readonly confidence: number | null;
}

export interface SuggestLabelsParameters extends HostedDatanetPlace {
  /** null for a row that the model cannot read; a null label where it gives none. */
  labelRow: (content: Uint8Array, card: Card) => RowSuggestion | null;
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
 * const rain = (content: Uint8Array) => new TextDecoder().decode(content).includes("rain");
 * const labelRow = (content: Uint8Array) => ({ label: rain(content) ? "bad" : "good", confidence: 0.8 });
 * await suggestLabels(client, { hostUrl, datanetId: 10, labelRow, modelName: "looks for rain" });
 * ```
 */
export async function suggestLabels(
  client: LedgerClient,
  { from, labelRow, modelName, onProgress, ...place }: SuggestLabelsParameters,
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
        const suggestion = suggestionOf(card, labelRow(content, card));
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

/** @throws CLI_MODEL_WITHOUT_LABELS */
function suggestionOf(card: Card, said: RowSuggestion | null) {
  if (said === null) return null;
  const { confidence, label } = said;
  if (label === null || confidence === null || !card.labels.some(({ name }) => name === label))
    throw clientError(
      "CLI_MODEL_WITHOUT_LABELS",
      label === null ? "the model answers without labels" : `the model says "${label}", no label of the card`,
      { data: { label } },
    );
  return { label, confidencePermille: Math.round(1_000 * confidence) };
}
