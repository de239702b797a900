/** Croissant file of a version, with its name: beside an export, and as one of a model's papers. */
import { hex32 } from "@openledger/foundation/hex";
import type { Card } from "../card/card.ts";
import type { VersionFacts } from "../papers/version-facts.ts";
import { croissantOf, type DescribedParquet } from "./croissant.ts";

/** A version as its Croissant file describes it. */
export interface DescribedVersion {
  readonly card: Card;
  readonly datanetId: number;
  readonly version: number;
  /** Time of publication, in Unix milliseconds; null if it is not known. */
  readonly publishedAtMs: number | null;
  readonly rowsRoot: bigint;
  /** Facts of the version in a Croissant file, beside its rows. */
  readonly facts: VersionFacts;
  /** Address of the host, which a Croissant file names. */
  readonly hostUrl: string;
  /** Name of the file; absent: by Datanet and version. */
  readonly name?: string | undefined;
}

/** Name of a version's file, unless its writer chooses one. */
export const fileNameOf = (
  { datanetId, version }: Pick<DescribedVersion, "datanetId" | "version">,
  ending: string,
) => `datanet-${datanetId}-version-${version}.${ending}`;

/**
 * Writes the Croissant file of a version's Parquet file.
 * @param parquet the file; null for rows that the writer may not read
 */
export function croissantFileOf(
  facts: DescribedVersion,
  parquet: DescribedParquet | null,
): { readonly name: string; readonly text: string } {
  const { card, datanetId, hostUrl, publishedAtMs, rowsRoot, version } = facts;
  const { name: fileName = fileNameOf(facts, "parquet") } = facts;
  const text = croissantOf({
    card,
    datanetId,
    version,
    publishedAtMs,
    rowsRoot: hex32(rowsRoot),
    url: `${hostUrl.replace(/\/$/, "")}/v1/datanets/${datanetId}`,
    fileName,
    parquet,
    facts: facts.facts,
  });
  return { name: `${fileName}.croissant.json`, text };
}
