/** Interface of providers that may have a blob; blob-finder.ts asks them in turn and checks what they give. */
import type { BlobProblem, BlobRequest } from "./blob-source.ts";

/** Bytes that nobody has checked yet, or the problem. */
export type FoundBytes = { readonly candidates: readonly Uint8Array[] } | { readonly problem: BlobProblem };

/** Provider of blobs: a folder, another's archive, a beacon node. */
export interface BlobProvider {
  /** Name in messages. */
  readonly place: string;
  /** @throws BRG_L1_* where the provider needs a fact about the block that L1's node does not give */
  find(request: BlobRequest): Promise<FoundBytes>;
  /** A folder of this machine: nobody makes up files in it, so false ones never speak against the others. */
  readonly isOwn?: boolean;
  /** Notes that the provider's answer was false. */
  noteWrong?(request: BlobRequest): Promise<void>;
}
