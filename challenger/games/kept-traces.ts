/** Own traces of claims in games: of each its operations' roots, 32 bytes an operation; of some operations the trees below. */

import { sizeOf, type TraceOp } from "../trace/trace-op.ts";
import { claimedRoot, type TracedQuery, type TraceStatement } from "./claims/traced-model.ts";
import type { ShownClaim } from "./read-games.ts";
import type { GameTrace } from "./trace-moves.ts";

/** A number of an operation with its tree. */
const BYTES_PER_NUMBER = 4.25;
/** Of trees below operations, the inputs' aside: a trace takes up to some GB. Those of claims that were traced last are kept. */
const MOST_BYTES = 2 ** 29;

/** The move that shows an answer of which the trace says that it is another than the model's. */
export type AnswerMove = (gameId: bigint, statement: TraceStatement) => `0x${string}`;

export interface TracingOptions {
  /** His own trace of what is claimed; null where he does not know the model. */
  readonly traceOf: (claim: ShownClaim) => TracedQuery | null | Promise<TracedQuery | null>;
  /**
   * Of an answer that the trace says is another than the model's: the move that shows it, where the owner's trace is the same.
   * null where it is the model's. Default: answers are not looked at.
   */
  readonly answerMove?: ((query: TracedQuery) => AnswerMove | null) | undefined;
}

export interface KeptTrace {
  readonly statement: TraceStatement;
  /** With the trees of some operations, and of those that they are made of. */
  readonly trace: GameTrace;
  readonly ops: ReadonlySet<number>;
  /** Of these trees. */
  readonly bytes: number;
  /** Whether it ends as the claim says, and the answer is the model's. */
  readonly isRight: boolean;
  readonly answer: AnswerMove | null;
}

export class KeptTraces {
  readonly #options: TracingOptions;
  /** The last traced one comes last. */
  readonly #kept = new Map<bigint, KeptTrace>();

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /** What a move about this operation needs, or one above operations; undefined where that takes a trace. */
  of(claimId: bigint, op: number | null): KeptTrace | undefined {
    const known = this.#kept.get(claimId);
    return op === null || known?.ops.has(op) === true ? known : undefined;
  }

  /** Traces a claim, and keeps what moves about these operations need besides what is kept. null for another model's. */
  async make(claim: ShownClaim, more: readonly number[] = []): Promise<KeptTrace | null> {
    const query = await this.#options.traceOf(claim);
    if (query === null) return null;
    const { claimedOp, program, programTree, text, tree } = query;
    const ops = new Set([...(this.#kept.get(claim.claimId)?.ops ?? []), ...more]);
    const needed = new Set([...ops].flatMap((op) => [op, ...program[op]!.sources.map((one) => one.op)]));
    const own = [...needed].filter((op) => !isFixed(program, op));
    const answer = this.#options.answerMove?.(query) ?? null;
    const trees = Object.fromEntries([...needed].map((op) => [op, tree.ops[op]!]));
    const made: KeptTrace = {
      ...{ statement: claim.statement, ops, answer },
      trace: { claimedOp, program, programTree, text, tree: { top: tree.top, ops: trees } },
      bytes: own.reduce((sum, op) => sum + BYTES_PER_NUMBER * sizeOf(program[op]!), 0),
      isRight: claimedRoot(query) === claim.statement.query && answer === null,
    };
    this.#kept.delete(claim.claimId);
    this.#makeRoom(made.bytes);
    this.#kept.set(claim.claimId, made);
    return made;
  }

  forget(isGone: (claimId: bigint) => boolean): void {
    for (const claimId of this.#kept.keys()) if (isGone(claimId)) this.#kept.delete(claimId);
  }

  /** The roots stay. */
  #makeRoom(bytes: number): void {
    let left = [...this.#kept.values()].reduce((sum, one) => sum + one.bytes, bytes);
    for (const [claimId, one] of this.#kept) {
      if (left <= MOST_BYTES) return;
      left -= one.bytes;
      const trace = { ...one.trace, tree: { top: one.trace.tree.top, ops: {} } };
      this.#kept.set(claimId, { ...one, trace, ops: new Set(), bytes: 0 });
    }
  }
}

/** What every trace of the model has: it is held once, whoever asks for it. */
function isFixed(program: readonly TraceOp[], op: number): boolean {
  const { kind, sources } = program[op]!;
  return kind === "input" || (kind === "copy" && program[sources[0]!.op]!.kind === "input");
}
