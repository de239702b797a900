/** One of several addresses at which the sequencer may be: after a handover it is at the standby's. */
import type { SequencerEndpoint, SequencerFailure } from "./sequencer-request.ts";

/** Goes to the next address where the present one does not answer, or says that it is not its turn. */
export class SequencerChoice implements Pick<SequencerEndpoint, "sequencerUrl" | "onFailure"> {
  readonly #urls: readonly string[];
  #index = 0;

  /** @param urls at least one */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  get sequencerUrl(): string {
    return this.#urls[this.#index]!;
  }

  onFailure = ({ error, kind }: SequencerFailure): void => {
    // A full node has no routes for the operator's processes.
    const isElsewhere = kind === "unreachable" || kind === "passing" || error?.code === "SRV_UNKNOWN_ROUTE";
    if (isElsewhere) this.#index = (this.#index + 1) % this.#urls.length;
  };
}
