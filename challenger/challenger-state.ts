/**
 * What a challenger has found and spent, in one file that is written whole: a restart recomputes nothing that it has found true,
 * and spends no fee above the cap. What is damaged is named, and found again from L1.
 */
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { ModelCommitment } from "./model-commitments/read-model-commitments.ts";
import type { ModelCommitmentWindow } from "./model-commitments/read-windows.ts";
import { postedHash } from "./statements/model-commitment-calls.ts";

/** Some 300 bytes each. */
const MOST_KEPT = 4_096;
/** Of one model commitment; what is warned of beyond is told by the look that found it. */
const MOST_WARNINGS = 8;
const MOST_WARNING_LENGTH = 500;

/** What recomputing a model commitment from some files has shown. A wrong place is found again before anything is spent on it. */
export interface Verdict {
  /** Of the statement. */
  readonly postedHash: string;
  /** Of the model's files, and of these with the published leaves. */
  readonly modelHash: string;
  readonly filesHash: string;
  /** How the model differs from what its recipe makes of the rows; null where it does not. */
  readonly mismatch: string | null;
  /** Whether every place is right, and every leaf known. */
  readonly isRight: boolean;
  /** Whether it was trained again: the last that is done. */
  readonly isTrained: boolean;
  readonly warnings: readonly string[];
  /** Files that were trained again for this statement. */
  readonly count: number;
}

interface Kept {
  /** By number. */
  readonly verdicts: Record<string, Verdict>;
  /** Model commitments of which nothing is left to look at, by number and block. */
  readonly recomputed: Record<string, true>;
  /** Claims of queries that are right, by number and block: the digest of the model that they were compared with. */
  readonly claims: Record<string, string>;
  /** Fees of data-availability challenges, by the number of their model commitment. */
  readonly spentWei: Record<string, string>;
}

const EMPTY = (): Kept => ({ verdicts: {}, recomputed: {}, claims: {}, spentWei: {} });

export class ChallengerState {
  readonly #path: string | null;
  readonly #head: string;
  readonly #kept: Kept;

  private constructor(path: string | null, head: string, kept: Kept) {
    this.#path = path;
    this.#head = head;
    this.#kept = kept;
  }

  /** @param path null keeps it in memory alone @param of contracts and account: the file of others is not taken @param onDamage told why a file is not taken */
  static async open(
    path: string | null,
    of: string,
    onDamage: (why: string) => void,
  ): Promise<ChallengerState> {
    if (path === null) return new ChallengerState(null, of, EMPTY());
    const text = readIfPresent(path);
    if (text === null) return new ChallengerState(path, of, EMPTY());
    try {
      const { kept, of: whose } = checkedJson.decode(text.trimEnd()) as { of: string; kept: Kept };
      if (whose === of) return new ChallengerState(path, of, { ...EMPTY(), ...kept });
    } catch {}
    onDamage(`${path} is damaged, or of something else: what it knew is found again`);
    return new ChallengerState(path, of, EMPTY());
  }

  /** null where this statement was not looked at. */
  verdictOf({ id, statement }: Pick<ModelCommitment, "id" | "statement">): Verdict | null {
    const known = this.#kept.verdicts[String(id)];
    return known?.postedHash === postedHash(statement) ? known : null;
  }

  async keepVerdict(id: bigint, verdict: Verdict): Promise<void> {
    const { verdicts } = this.#kept;
    const warnings = verdict.warnings.slice(0, MOST_WARNINGS).map((one) => one.slice(0, MOST_WARNING_LENGTH));
    verdicts[String(id)] = { ...verdict, warnings };
    dropOldest(verdicts);
    await this.#save();
  }

  isRecomputed({ blockHash, id }: ModelCommitmentWindow): boolean {
    return this.#kept.recomputed[`${id}/${blockHash}`] === true;
  }

  async keepRecomputed({ blockHash, id }: ModelCommitmentWindow): Promise<void> {
    this.#kept.recomputed[`${id}/${blockHash}`] = true;
    dropOldest(this.#kept.recomputed);
    await this.#save();
  }

  isRight(claim: string, digest: string): boolean {
    return this.#kept.claims[claim] === digest;
  }

  async keepRight(claim: string, digest: string): Promise<void> {
    this.#kept.claims[claim] = digest;
    dropOldest(this.#kept.claims);
    await this.#save();
  }

  spentWei(id: bigint): bigint {
    return BigInt(this.#kept.spentWei[String(id)] ?? 0);
  }

  /** Before it is sent: whoever dies in between has spent it. @param wei below 0 where nothing was sent */
  async spend(id: bigint, wei: bigint): Promise<void> {
    this.#kept.spentWei[String(id)] = `${this.spentWei(id) + wei}`;
    try {
      await this.#save();
    } catch (error) {
      // Nothing is sent then.
      this.#kept.spentWei[String(id)] = `${this.spentWei(id) - wei}`;
      throw error;
    }
  }

  async #save(): Promise<void> {
    if (this.#path === null) return;
    await writeFileWhole(this.#path, `${checkedJson.encode({ of: this.#head, kept: this.#kept })}\n`, 0o600);
  }
}

/** The lowest numbers of model commitments, whose windows end first; of claims those that were kept first. */
function dropOldest(kept: Record<string, unknown>): void {
  const names = Object.keys(kept);
  for (const name of names.slice(0, Math.max(0, names.length - MOST_KEPT))) delete kept[name];
}
