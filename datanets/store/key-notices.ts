/**
 * Week's notice after the owner of a leaf acted through L1's queue where the leaf's key did not sign: a new key (ForcedSetKey), or
 * a Datanet's new card (ForcedPublishVersion). The ledger takes both at once, and has to: they end a stolen key. A host waits with
 * what nobody can undo.
 */
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { LRUCache } from "lru-cache";
import type { NamedCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import {
  type DatanetLeaf,
  type HostLeaf,
  type HostLedger,
  type HostOperation,
  nameOf,
} from "./ledger-view.ts";

/** Length of the notice, in milliseconds: a week, as long as an entry of L1's queue waits before anyone may freeze the ledger. */
export const KEY_NOTICE_MS = 7 * 86_400_000;
/** Pages of a leaf's operations that one call reads; the next call goes on behind them. */
const MAX_PAGES = 25;
/** Looks that are cached. */
const MAX_LOOKS = 10_000;
/** Time after which a look is repeated, down to the operations that it has read. */
const LOOK_AGAIN_MS = 60_000;

/** An entry of L1's queue that a leaf's key did not sign, executed less than a week ago. */
export interface KeyNotice {
  readonly leafId: number;
  /** Index in L1's queue: anyone can compare the entry with the contract's event. */
  readonly queueIndex: number;
  /** Time of the batch that executed the entry, in Unix milliseconds. */
  readonly atMs: number;
  readonly untilMs: number;
}

/** Operations of a leaf that were read, newest first. */
interface Look {
  readonly notice: KeyNotice | null;
  readonly atMs: number;
  /** Names of the first operation read, and of the first one that an earlier look has read; undefined for none. */
  readonly newest: string | number | undefined;
  readonly until: string | number | undefined;
  /** The look goes on behind this operation; null once a week, or all down to `until`, is read. */
  readonly before: string | number | null | undefined;
}
type ForcedOperation = Extract<HostOperation, { hash: null }>;

/** Finds notices in the ledger's operations. */
export class KeyNotices {
  readonly #ledger: Pick<HostLedger, "operationsPage">;
  readonly #nowMs: () => number;
  /** By leaf, and by the key or card that the look is for: the leaf may have had others since, and have that again. */
  readonly #looks = new LRUCache<string, Look>({ max: MAX_LOOKS });

  constructor(ledger: Pick<HostLedger, "operationsPage">, nowMs: () => number) {
    this.#ledger = ledger;
    this.#nowMs = nowMs;
  }

  /**
   * Returns the notice that a leaf's key is under; null if there is none.
   * @param onRead called with the number of operations of each page that is read for it
   * @throws DNT_KEY_NOTICE where a week of the leaf's operations is too long for one call, or was pruned; SRV_SEQUENCER_UNREACHABLE
   */
  of(
    { id, keyX }: Pick<HostLeaf, "id" | "keyX">,
    onRead?: (operationCount: number) => void,
  ): Promise<KeyNotice | null> {
    // Attack: the new key signs a SetKey of its own, and that one has a signature of the key before it. Any forced key counts.
    return this.#find(`${id}/key/${hex32(keyX)}`, id, ({ kind }) => kind === "forcedSetKey", onRead);
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

  /**
   * Card of a Datanet's policy, or the newest one in the store while the present one is missing or under notice.
   * @throws DNT_NOT_HOSTED, SRV_SEQUENCER_UNREACHABLE
   */
  async cardOf(datanet: HostedDatanet, leaf: DatanetLeaf): Promise<NamedCard> {
    const { policy } = leaf.datanet;
    const named = await datanet.requireCard(policy);
    const last = (await datanet.lastCard()) ?? named;
    // Attack: a stolen owner wallet opens permissioned rows by an earlier card, which nobody has to bring again.
    if (last.policy === named.policy || last.card.access === "public") return named;
    try {
      await this.refuseCard(leaf, policy);
      return named;
    } catch (error) {
      if (isRollupError(error, "DNT_KEY_NOTICE")) return last;
      throw error;
    }
  }

  async #find(
    name: string,
    leafId: number,
    counts: (entry: ForcedOperation) => boolean,
    onRead: (operationCount: number) => void = () => {},
  ): Promise<KeyNotice | null> {
    const nowMs = this.#nowMs();
    const last = this.#looks.get(name);
    if (last?.before === null && Math.abs(nowMs - last.atMs) < LOOK_AGAIN_MS)
      return this.#ifRunning(last.notice);
    const isGoingOn = last !== undefined && last.before !== null;
    const until = isGoingOn ? last.until : last?.newest;
    let newest = isGoingOn ? last.newest : undefined;
    let before = isGoingOn ? last.before : undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.#ledger.operationsPage(leafId, before);
      const { isComplete, nextBefore, operations, prunedBeforeMs } = answer;
      onRead(operations.length);
      if (newest === undefined && operations.length > 0) newest = nameOf(operations[0]!);
      const known = operations.findIndex((operation) => nameOf(operation) === until);
      const found = (known < 0 ? operations : operations.slice(0, known)).find(
        (entry): entry is ForcedOperation => entry.hash === null && entry.a === leafId && counts(entry),
      );
      const isOld = ({ acknowledgedAtMs }: HostOperation) =>
        acknowledgedAtMs != null && acknowledgedAtMs < nowMs - KEY_NOTICE_MS;
      // Attack: a thief's transfers push the forced key out of a sequencer that prunes its history.
      const isWeekHere = prunedBeforeMs !== null && prunedBeforeMs < nowMs - KEY_NOTICE_MS;
      const isAll = nextBefore === null && (isComplete || isWeekHere);
      if (found !== undefined || known >= 0 || isAll || operations.some(isOld)) {
        const notice = found === undefined ? (last?.notice ?? null) : this.#noticeOf(leafId, found);
        this.#looks.set(name, { notice, atMs: nowMs, newest, until, before: null });
        return this.#ifRunning(notice);
      }
      if (nextBefore === null)
        throw datanetError(
          "DNT_KEY_NOTICE",
          `the sequencer has pruned what leaf ${leafId} did in the last week: nobody here knows whether its key was forced`,
          { data: { reason: "history-pruned", leafId, prunedBeforeMs } },
        );
      before = nextBefore;
      this.#looks.set(name, { notice: last?.notice ?? null, atMs: nowMs, newest, until, before });
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
