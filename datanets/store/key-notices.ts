/**
 * Week's notice after the owner of a leaf acted through L1's queue where the leaf's key did not sign: a new key (ForcedSetKey), or
 * a Datanet's new card (ForcedPublishVersion). The ledger takes both at once, and has to: they end a stolen key. A host waits with
 * what nobody can undo.
 */
import { hex32 } from "@openledger/foundation/hex";
import { LRUCache } from "lru-cache";
import { datanetError } from "../datanet-errors.ts";
import type { HostLeaf, HostLedger, HostOperation } from "./ledger-view.ts";

/** Length of the notice, in milliseconds: a week, as long as an entry of L1's queue waits before anyone may freeze the ledger. */
export const KEY_NOTICE_MS = 7 * 86_400_000;
/** Pages of a leaf's operations that one call reads; the next call goes on behind them. */
const MAX_PAGES = 25;
/** Looks that are cached. */
const MAX_LOOKS = 10_000;

/** An entry of L1's queue that a leaf's key did not sign, executed less than a week ago. */
export interface KeyNotice {
  readonly leafId: number;
  /** Index in L1's queue: anyone can compare the entry with the contract's event. */
  readonly queueIndex: number;
  /** Time of the batch that executed the entry, in Unix milliseconds. */
  readonly atMs: number;
  readonly untilMs: number;
}

type Look =
  | { readonly notice: KeyNotice | null }
  /** The look ended before a week was read; the next one goes on here. */
  | { readonly before: string | number };
type ForcedOperation = Extract<HostOperation, { hash: null }>;

/** Finds notices in the ledger's operations. */
export class KeyNotices {
  readonly #ledger: Pick<HostLedger, "operationsPage">;
  readonly #nowMs: () => number;
  /** By leaf, and by the key or card that the look is for: it holds as long as the leaf has that. */
  readonly #looks = new LRUCache<string, Look>({ max: MAX_LOOKS });

  constructor(ledger: Pick<HostLedger, "operationsPage">, nowMs: () => number) {
    this.#ledger = ledger;
    this.#nowMs = nowMs;
  }

  /**
   * Returns the notice that a leaf's key is under; null if there is none.
   * @throws DNT_KEY_NOTICE where a week of the leaf's operations is too long for one call, SRV_SEQUENCER_UNREACHABLE
   */
  of({ id, keyX }: Pick<HostLeaf, "id" | "keyX">): Promise<KeyNotice | null> {
    // Attack: the new key signs a SetKey of its own, and that one has a signature of the key before it. Any forced key counts.
    return this.#find(`${id}/key/${hex32(keyX)}`, id, ({ kind }) => kind === "forcedSetKey");
  }

  /**
   * Passes unless the leaf's key is under notice.
   * @param what is refused, as "withdraws no row"
   * @throws DNT_KEY_NOTICE, and what `of` throws
   */
  async refuse(leaf: Pick<HostLeaf, "id" | "keyX">, what: string): Promise<void> {
    requireNone(await this.of(leaf), what);
  }

  /**
   * Passes unless a Datanet's key is under notice, or its card was set through L1's queue less than a week ago.
   * @throws DNT_KEY_NOTICE, and what `of` throws
   */
  async refuseCard(leaf: Pick<HostLeaf, "id" | "keyX">, policy: bigint): Promise<void> {
    const what = "has no other card here";
    await this.refuse(leaf, what);
    const isOfCard = ({ kind, word4 }: ForcedOperation) =>
      kind === "forcedPublishVersion" && word4 === policy;
    requireNone(await this.#find(`${leaf.id}/card/${hex32(policy)}`, leaf.id, isOfCard), what);
  }

  async #find(
    name: string,
    leafId: number,
    counts: (entry: ForcedOperation) => boolean,
  ): Promise<KeyNotice | null> {
    const last = this.#looks.get(name);
    if (last !== undefined && "notice" in last) return this.#ifRunning(last.notice);
    const sinceMs = this.#nowMs() - KEY_NOTICE_MS;
    let before = last?.before;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { nextBefore, operations } = await this.#ledger.operationsPage(leafId, before);
      const found = operations.find(
        (entry): entry is ForcedOperation => entry.hash === null && entry.a === leafId && counts(entry),
      );
      const isOld = ({ acknowledgedAtMs }: HostOperation) =>
        acknowledgedAtMs != null && acknowledgedAtMs < sinceMs;
      if (found !== undefined || nextBefore === null || operations.some(isOld)) {
        const notice = found === undefined ? null : this.#noticeOf(leafId, found);
        this.#looks.set(name, { notice });
        return this.#ifRunning(notice);
      }
      before = nextBefore;
      this.#looks.set(name, { before });
    }
    throw datanetError("DNT_KEY_NOTICE", `this host still reads a week of operations of leaf ${leafId}`, {
      data: { reason: "key-unknown", leafId },
    });
  }

  #noticeOf(leafId: number, { acknowledgedAtMs, queueIndex }: ForcedOperation): KeyNotice {
    // A batch that is still open has no time.
    const atMs = acknowledgedAtMs ?? this.#nowMs();
    return { leafId, queueIndex, atMs, untilMs: atMs + KEY_NOTICE_MS };
  }

  #ifRunning(notice: KeyNotice | null): KeyNotice | null {
    return notice === null || notice.untilMs <= this.#nowMs() ? null : notice;
  }
}

function requireNone(notice: KeyNotice | null, what: string): void {
  if (notice === null) return;
  const { leafId, queueIndex, untilMs } = notice;
  throw datanetError(
    "DNT_KEY_NOTICE",
    `leaf ${leafId} ${what} before ${new Date(untilMs).toISOString()}: its old key did not sign the change`,
    { data: { reason: "key-forced", leafId, queueIndex, untilMs } },
  );
}
