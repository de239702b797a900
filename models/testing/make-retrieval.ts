import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { decodeRow } from "@openledger/attribution/rows/row-content";
import { retrievalTraining } from "../retrieval/retrieval-training.ts";
import { hostSpans } from "../spans/host-spans.ts";
import { buildSpanIndex } from "../spans/span-index.ts";
import type { ModelMaker } from "./settling-fixture.ts";

/** A retrieval model of a version of mails. */
export const makeRetrieval: ModelMaker = async (rows, ledger) =>
  (await retrievalTraining.train(
    rows,
    {
      version: 2,
      family: "retrieval",
      rows: "email",
      seed: "settling",
      embedding: { kind: "lexical", bucketBits: 12 },
      threshold: { quantile: 0.5, columns: 4 },
      citationCount: 2,
      rules: { normQuantile: 1, nearDuplicatesShare: false },
      ...ledger,
    },
    {},
  )) as never;

/** An index of the same mails' texts, as a server has it. */
export async function mailSpans(rows: readonly OwnedRow[], rowsRoot: string) {
  const documents = rows.map(({ content, contributorId, validatorId }) => ({
    text: new TextEncoder().encode(decodeRow("email", content).input),
    digest: bytesToHex(sha256(content)),
    contributorId,
    validatorId,
  }));
  const index = await buildSpanIndex(documents, {
    rowsRoot: rowsRoot.slice(2),
    rowText: "email",
    engine: "typescript",
  });
  return hostSpans(index);
}
