/** Fetches excerpts of rows for lists on a Datanet's page: rows left out, and changes between versions. */
import { fetchRowContents } from "@openledger/client/datanets/browse-rows";
import { viewRow } from "@openledger/datanets/rows/row-view";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readableLocation, type TabProps } from "./tab-props.ts";

/** Characters of a row. */
const EXCERPT_CHARACTERS = 300;

/**
 * Fetches the beginnings of rows, each checked; none for visitors without access: the rows' names are public all the
 * same.
 */
export async function textsOf(
  props: TabProps,
  digests: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { facts, visitor } = props;
  const texts = new Map<string, string>();
  if (digests.length === 0) return texts;
  try {
    const fetched = (some: readonly string[]) =>
      fetchRowContents(visitor.reader, {
        ...readableLocation(props),
        digests: some,
        maxRowBytes: facts.card.row.maxBytes,
      });
    let present = digests;
    const contents = await fetched(present).catch((error: unknown) => {
      if (!isRollupError(error, "DNT_ROW_WITHDRAWN")) throw error;
      const withdrawn = new Set((error.data as { digests?: readonly string[] }).digests);
      present = digests.filter((digest) => !withdrawn.has(digest));
      return present.length === 0 ? [] : fetched(present);
    });
    for (const [i, content] of contents.entries()) {
      const { text } = viewRow(facts.card, content);
      if (text !== "") texts.set(present[i]!, text.slice(0, EXCERPT_CHARACTERS));
    }
  } catch {
    // The host refuses, or does not have them: the list is shown without.
  }
  return texts;
}
