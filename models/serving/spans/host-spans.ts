/**
 * Serves the spans of an answer over HTTP: its parts that occur word for word in a Datanet's version. The answer
 * server has the route where it has an index; the client's side is check-spans.ts.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  digestToField,
  hashVersionRow,
  treeDepth,
  treePaths,
} from "@openledger/circuits/ledger/version-rows";
import { TAG } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { modelError } from "../../model-errors.ts";
import { findSpans, sourcesOf } from "./find-spans.ts";
import type { SpanIndex } from "./span-index.ts";
import { type SourceRow, type SpansAnswer, siblingsOf, spansToJson } from "./spans-answer.ts";

/** Rows that are named for a span, at most. */
const MAX_SOURCES = 3;
/**
 * Maximum work for one text of a stranger, in bytes of the index compared. Enough for every text of the route's
 * length that does not repeat itself in many ways; some 50 ms.
 */
const MAX_COMPARED_BYTES = 2 ** 23;
const MAX_CITED_SPANS = 1_000;
/** Maximum bytes of all rows in one answer. */
const MAX_ROW_BYTES = 2 ** 20;

/** A row's bytes by its place in the version; null or undefined if it is not published. */
export type ReadContent = (
  row: number,
) => Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>;

/** Index as a model's server needs it (models/serving/answers). */
export interface HostedSpans {
  cite(text: string, contentOf: ReadContent): Promise<object>;
}

/**
 * Hashes the version's tree once, for the paths of its rows.
 * @throws MOD_FILE_INVALID if the index' rows are not those of the version that it names
 */
export async function hostSpans(index: SpanIndex): Promise<HostedSpans> {
  await initPoseidon();
  const { rowsRoot, rowText } = index.parts;
  const leaves = Array.from({ length: index.documentCount }, (_, row) => {
    const { contributorId, digest, validatorId } = index.document(row);
    return hashVersionRow({ rowHash: digestToField(hexToBytes(digest)), contributorId, validatorId });
  });
  const tree = treePaths(TAG.versionNode, leaves, treeDepth(leaves.length));
  if (hex32(tree.root).slice(2) !== rowsRoot)
    throw modelError("MOD_FILE_INVALID", "the rows of this index of spans are not those of its version", {
      data: { rowsRoot },
    });
  return {
    async cite(text, contentOf) {
      const bytes = new TextEncoder().encode(text);
      const found = findSpans(index, bytes, MAX_COMPARED_BYTES);
      /** Rows by their places; "no room" for those that the answer is too full for. */
      const rows = new Map<number, SourceRow | "no room" | "not published">();
      let rowBytes = 0;
      const take = async (row: number): Promise<SourceRow | "no room" | "not published"> => {
        const content = await contentOf(row);
        if (content == null) return "not published";
        rowBytes += content.length;
        if (rowBytes > MAX_ROW_BYTES) return "no room";
        const { contributorId, validatorId } = index.document(row);
        return { row, content, contributorId, validatorId, siblings: siblingsOf(tree.path(row), row) };
      };
      const spans: SpansAnswer["spans"][number][] = [];
      let omittedCount = 0;
      // The rarest and longest first.
      for (const span of found.slice(0, MAX_CITED_SPANS)) {
        const sources: number[] = [];
        let [hasNoRoom, isPublished] = [false, true];
        for (const { row } of sourcesOf(index, span, MAX_SOURCES)) {
          if (!rows.has(row)) rows.set(row, await take(row));
          const taken = rows.get(row)!;
          if (taken === "no room") hasNoRoom = true;
          else if (taken === "not published") isPublished = false;
          else sources.push(row);
        }
        const { end, hi, lo, start } = span;
        // Attack: a count of spans in rows that are not published tells what stands in them, a character after the other.
        if (sources.length > 0)
          spans.push({ start, end, count: isPublished ? hi - lo : sources.length, rows: sources });
        else if (hasNoRoom) omittedCount += 1;
      }
      const named = [...rows.values()].filter((row) => typeof row !== "string");
      return spansToJson({ rowText, spans, rows: named, omittedCount });
    },
  };
}
