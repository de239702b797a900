/**
 * Which Activations L1's gate admits (docs/explanation/disputes.md), and which settlements by draws, of models whose settlements wait for
 * claims (docs/explanation/fault-proofs.md). One that it refuses would hold up its batch and every later one, so none is taken that the
 * bridge has not seen admitted. The bridge says some more of them with each head of L1.
 */
import { sequencerError } from "../../sequencer-errors.ts";

interface Admission {
  readonly modelId: number;
  /** J of an Activation, C of a settlement, or WAITS. */
  readonly word: bigint;
}

interface AdmissionPage {
  readonly from: number;
  readonly found: readonly Admission[];
  readonly isComplete: boolean;
}

/** No hash: instead of one it says that the model's settlements by draws wait. */
const WAITS = 0n;

export class Admissions {
  /** null where the rollup has no gate. */
  #known: Set<string> | null = null;
  /** Whether nothing is missing that the bridge could know. */
  #isComplete = false;

  /**
   * @param page admissions in L1's order, each once, from the one with this number on, and whether there are no more behind
   * them; null where the rollup has no gate
   * @returns how many are known: what is behind them is still to be told
   */
  note(page: AdmissionPage | null): number {
    this.#isComplete = page === null;
    if (page === null) {
      this.#known = null;
      return 0;
    }
    this.#known ??= new Set();
    // Told before this sequencer was started: they are told again from the first.
    if (page.from > this.#known.size) return this.#known.size;
    this.#isComplete = page.isComplete;
    for (const { modelId, word } of page.found) this.#known.add(`${modelId}/${word}`);
    return this.#known.size;
  }

  /**
   * Attack: after a start nothing is known of a model that waits, so its settlement would be taken. So none is, until the
   * bridge has told everything, or that there is no gate.
   * @throws SEQ_L1_HEAD_UNKNOWN, SEQ_NOT_ADMITTED
   */
  requireSettlement(modelId: number, commitment: bigint): void {
    if (!this.#isComplete)
      throw sequencerError(
        "SEQ_L1_HEAD_UNKNOWN",
        "the bridge has not told yet what the rollup's gate admits",
      );
    const waits = this.#known?.has(`${modelId}/${WAITS}`) === true;
    if (!waits || this.#known!.has(`${modelId}/${commitment}`)) return;
    throw sequencerError(
      "SEQ_NOT_ADMITTED",
      `the draws of model ${modelId}'s epoch have no unrefuted claims yet`,
      { data: { reason: "settlement-not-admitted", modelId } },
    );
  }

  /**
   * @param hasL1Head whether the bridge has spoken since the start: before that, nothing is known of a gate
   * @throws SEQ_L1_HEAD_UNKNOWN, SEQ_NOT_ADMITTED
   */
  require(
    activation: { readonly modelId: number; readonly settlementHash: bigint },
    hasL1Head: boolean,
  ): void {
    const { modelId, settlementHash } = activation;
    if (!hasL1Head) throw sequencerError("SEQ_L1_HEAD_UNKNOWN", "the bridge has not reported L1's head yet");
    if (this.#known?.has(`${modelId}/${settlementHash}`) !== false) return;
    throw sequencerError("SEQ_NOT_ADMITTED", `the rollup's gate does not admit model ${modelId} yet`, {
      data: { reason: "activation-not-admitted", modelId },
    });
  }
}
