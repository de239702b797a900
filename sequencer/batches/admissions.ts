/**
 * Which Geneses L1's gate admits (docs/disputes.md). One that it refuses would hold up its batch and every later one, so
 * none is taken that the bridge has not seen admitted. The bridge says all of them with each head of L1.
 */
import { sequencerError } from "../sequencer-errors.ts";

interface Admission {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
}

export class Admissions {
  /** null where the rollup has no gate. */
  #known: ReadonlySet<string> | null = null;

  note(admissions: readonly Admission[] | null): void {
    this.#known = admissions && new Set(admissions.map(({ modelId, word }) => `${modelId}/${word}`));
  }

  /**
   * @param hasL1Head whether the bridge has spoken since the start: before that, nothing is known of a gate
   * @throws SEQ_L1_HEAD_UNKNOWN, SEQ_GENESIS_NOT_ADMITTED
   */
  require(genesis: { readonly modelId: number; readonly settlementHash: bigint }, hasL1Head: boolean): void {
    const { modelId, settlementHash } = genesis;
    if (!hasL1Head) throw sequencerError("SEQ_L1_HEAD_UNKNOWN", "the bridge has not reported L1's head yet");
    if (this.#known?.has(`${modelId}/${settlementHash}`) !== false) return;
    throw sequencerError(
      "SEQ_GENESIS_NOT_ADMITTED",
      `the rollup's gate does not admit model ${modelId} yet`,
      { data: { modelId } },
    );
  }
}
