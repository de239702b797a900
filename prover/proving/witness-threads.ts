import { RollupError } from "@openledger/foundation/rollup-error";
import { Piscina } from "piscina";
import type { BlockRequest, PartAnswer, PartRequest } from "./witness-worker.ts";

/**
 * Threads that calculate parts of witnesses, each one at a time. They start when needed, and do not keep the
 * process alive.
 */
export class WitnessThreads {
  readonly #pool: Piscina<PartRequest | BlockRequest, PartAnswer>;
  #isEnded = false;

  constructor(threadCount: number) {
    this.#pool = new Piscina({
      filename: new URL("./witness-worker-entry.js", import.meta.url).href,
      execArgv: [],
      minThreads: 0,
      maxThreads: threadCount,
      // A thread keeps the programs that it has compiled.
      idleTimeout: Number.POSITIVE_INFINITY,
    });
    // A thread that dies between two parts; one that dies within a part fails that part.
    this.#pool.on("error", () => {});
  }

  /**
   * The values of a part's ports.
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH; an Error if the thread died or the program is broken
   */
  async run(request: PartRequest): Promise<Uint8Array> {
    const ports = await this.#run(request);
    if (ports === null) throw new Error("a program of circom's has no steps");
    return ports;
  }

  /**
   * Calculates many copies, and returns the values of their ports; null if a row of one does not hold.
   * @throws as `run`, and PRV_STEPS_UNUSABLE
   */
  runBlock(request: BlockRequest): Promise<Uint8Array | null> {
    return this.#run(request);
  }

  async #run(request: PartRequest | BlockRequest): Promise<Uint8Array | null> {
    if (this.#isEnded) throw new Error("the threads were ended");
    const answer = await this.#pool.run(request);
    if (answer.kind === "calculated") return answer.ports;
    if (answer.kind === "broken") return null;
    const { code, data, message } = answer;
    throw code === null ? new Error(message) : new RollupError(code, message, { data });
  }

  /** Fails running and waiting tasks. */
  end(): Promise<void> {
    this.#isEnded = true;
    return this.#pool.destroy();
  }
}
