/** Interface of places that may have a blob; blob-finder.ts asks them in turn and checks what they give. */
import type { BlobProblem, WantedBlob } from "./blob-source.ts";

/** Bytes that nobody has checked yet, or the problem. */
export type FoundBytes = { readonly candidates: readonly Uint8Array[] } | { readonly problem: BlobProblem };

/** One place that may have blobs: a folder, another's archive, a beacon node. */
export interface BlobPlace {
  /** Name in messages. */
  readonly place: string;
  /** @throws BRG_L1_* where the place needs a fact about the block that L1's node does not give */
  find(wanted: WantedBlob): Promise<FoundBytes>;
  /** A folder of this machine: nobody makes up files in it, so false ones never speak against the others. */
  readonly isOwn?: boolean;
  /** Notes that the place's answer was false. */
  noteWrong?(wanted: WantedBlob): Promise<void>;
}
