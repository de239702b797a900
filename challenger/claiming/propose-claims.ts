/**
 * Claims what was drawn of a language model that promises it: each drawn receipt that the server has an answer of, with a bond
 * (docs/explanation/fault-proofs.md).
 *
 * Nothing is remembered between looks but traces that are made. Every look asks ledger and L1 what is drawn and claimed, so a
 * kill at any moment costs at most one trace.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import { drawnPlaces, drawSeed } from "@openledger/circuits/settlement/settlement-split";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { ClosedEpochView, LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import { readClosedEpoch } from "@openledger/models/settling/prepare-settlement";
import { formatEther, type Hex } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { readGame } from "../events/read-contracts.ts";
import type { ClaimedText } from "../games/claims/ledger-claims.ts";
import { claimsOfDraws, type DrawnReceipt } from "../games/draw-claims.ts";
import type { GameReader } from "../games/read-games.ts";
import type { GameAccount } from "../playing/trace-sender.ts";
import { type ClaimingNews, type ClaimingStage, countDraws } from "./claiming-report.ts";

/** What the model's server keeps of an answer. Numbers that are field elements are 0x-hex. */
export interface ClaimableAnswer {
  readonly payerId: number;
  readonly salt: string;
  /** As the receipt hashes it. */
  readonly answer: string;
  readonly queryBytes: string;
  /** Absent in answers from before prompts were kept. */
  readonly prompt?: string;
}

export interface ProposingModules {
  /** Reads only. */
  readonly client: LedgerClient;
  /** undefined where nobody was given this receipt here: its draw is void. */
  readonly answerOf: (modelId: number, receipt: bigint) => Promise<ClaimableAnswer | undefined>;
  readonly log: HelperLog;
  readonly report: (modelId: number) => ClaimingNews;
}

/** Takes up to minutes. @throws ATT_ROW_INVALID, ATT_ANSWER_INVALID, and what opening the model throws */
export type TraceClaim = (
  modelId: number,
  receipt: ClaimedText,
) => Promise<{ readonly data: Hex; readonly query: ArrayLike<number> }>;

interface Draw extends DrawnReceipt {
  readonly kept: ClaimableAnswer | undefined;
}

interface Terms {
  readonly bondWei: bigint;
  readonly windowSeconds: bigint;
}

/** What the next claim would meet, too. */
const STOPS_CLAIMING = new Set(["CMD_NO_ETHER", "CMD_L1_PENDING", "BRG_L1_UNREACHABLE"]);

/** Of the kept answer alone: tried again, it would be the same. */
const ABOUT_ANSWER = new Set(["CMD_CLAIM_IMPOSSIBLE", "ATT_ROW_INVALID", "ATT_ANSWER_INVALID"]);

/** A trace takes up to some minutes, in which no game's move is made: others wait for the next look, which follows at once. */
const MOST_TRACED = 4;

export class ClaimProposer {
  readonly modelId: number;
  /** Bonds that are worth a look: an epoch's claims all count, it is over, or ether is missing. */
  wantsMoney = false;
  readonly #judge: GameAccount;
  readonly #reader: GameReader;
  readonly #trace: TraceClaim;
  readonly #modules: ProposingModules;
  #terms: Terms | null = null;
  /** Of the epoch that is drawn: they do not change. */
  #drawn: { readonly of: string; readonly draws: readonly Draw[] } = { of: "", draws: [] };
  /** Claims that are traced and not on L1, where ether is missing. */
  readonly #traced = new Map<string, Hex>();
  /** Draws that no claim can be made of. A trace takes seconds: none is made twice for nothing. */
  readonly #impossible = new Map<string, unknown>();
  #collectedOf = "";
  /** Whether all claims of the drawn epoch count. */
  #isClaimed = false;
  /** The epoch that is drawn, "" for none; whether this account has claims in it. */
  #current = { of: "", hasClaims: false };
  /** What was said last, so that each thing is said once. */
  readonly #told = new Map<"money" | "epoch", string>();

  constructor(
    modelId: number,
    judge: GameAccount,
    reader: GameReader,
    trace: TraceClaim,
    modules: ProposingModules,
  ) {
    this.modelId = modelId;
    this.#judge = judge;
    this.#reader = reader;
    this.#trace = trace;
    this.#modules = modules;
  }

  /** @returns what keeps single receipts from being claimed, and whether others wait @throws what ledger and L1 throw */
  async propose(): Promise<{ readonly failures: readonly unknown[]; readonly isWaiting: boolean }> {
    const { client } = this.#modules;
    const report = this.#modules.report(this.modelId);
    const leaf = await getModel(client, this.modelId);
    const terms = await this.#readTerms();
    await this.#lookAtMoney(terms, leaf.model.drawCount);
    const closed = leaf.closedEpoch;
    const of = closed === null || closed.prevRandao === null ? "" : drawOf(closed, closed.prevRandao);
    if (of !== this.#current.of) {
      // An epoch with claims was over before a look found all of them standing.
      this.wantsMoney ||= this.#current.hasClaims && this.#collectedOf !== this.#current.of;
      this.#current = { of, hasClaims: false };
    }
    const end = (stage: ClaimingStage, failures: readonly unknown[] = [], isWaiting = false) => {
      this.#isClaimed = stage === "claimed";
      report.set({ stage });
      return { failures, isWaiting };
    };
    if (closed === null || closed.prevRandao === null) {
      report.set({ epoch: null, draws: countDraws([]) });
      return end("nothing-drawn");
    }
    const draws = await this.#drawsOf(leaf, closed, closed.prevRandao);
    const claims = await this.#claimsOf(draws);
    const counts = countDraws(claims.map(({ state }) => state));
    const { epoch } = closed;
    report.set({ epoch, draws: counts });
    if (counts.open + counts.stands > 0) this.#current.hasClaims = true;
    if (counts.lost > 0) {
      this.#tellOnce("epoch", `epoch ${epoch}: ${claims.find(({ state }) => state === "lost")!.missing}`);
      return end("refuted");
    }
    const unclaimed = new Map(
      draws.filter((_, i) => claims[i]!.state === "unclaimed").map((draw) => [nameOf(draw), draw]),
    );
    if (unclaimed.size === 0) {
      if (counts.open > 0) return end("awaiting-windows");
      this.wantsMoney ||= this.#collectedOf !== of;
      return end("claimed");
    }
    const { publicClient } = this.#judge;
    const { timestamp } = await l1Call("read the latest block", () => publicClient.getBlock());
    const { defaultSplitFromSeconds: rowsFrom } = closed;
    if (rowsFrom !== null && timestamp + terms.windowSeconds >= BigInt(rowsFrom)) {
      this.#tellOnce(
        "epoch",
        `epoch ${epoch}: no claim would stand before it goes by row counts; none is made`,
      );
      return end("too-late");
    }
    report.set({ stage: "claiming" });
    const { failures, isWaiting } = await this.#claimAll(terms, epoch, [...unclaimed.values()]);
    return failures.length === 0 && !isWaiting
      ? end("awaiting-windows")
      : end("claiming", failures, isWaiting);
  }

  /** Bonds were taken back, or there were none to take. */
  noteCollected(): void {
    this.wantsMoney = false;
    if (this.#isClaimed) this.#collectedOf = this.#current.of;
  }

  async #claimAll({ bondWei }: Terms, epoch: number, draws: readonly Draw[]) {
    const { log } = this.#modules;
    const { modelId } = this;
    const report = this.#modules.report(modelId);
    const failures: unknown[] = [];
    let tracesLeft = MOST_TRACED;
    let isWaiting = false;
    for (const draw of draws) {
      const receipt = hex32(draw.receipt);
      const name = nameOf(draw);
      try {
        if (!this.#traced.has(name) && !this.#impossible.has(name) && tracesLeft-- === 0) {
          isWaiting = true;
          break;
        }
        const data = await this.#claimOnce(draw, epoch);
        // A trace takes minutes. What a process before this one has sent may be mined by now.
        const [claim] = await this.#claimsOf([draw]);
        if (claim!.state === "unclaimed") {
          const { gasUsed, hash } = await this.#judge.send({ data, valueWei: bondWei }, "the claim");
          report.noteClaim();
          log.info(
            { modelId, epoch, receipt, l1TransactionHash: hash, gasUsed },
            `epoch ${epoch}: claimed receipt ${receipt} with a bond of ${formatEther(bondWei)} ETH`,
          );
        }
        this.#traced.delete(name);
        this.#current.hasClaims = true;
      } catch (error) {
        // Attack: one answer that cannot be claimed, or that L1 refuses, ahead of all others.
        failures.push(error);
        if (!isRollupError(error) || STOPS_CLAIMING.has(error.code)) {
          this.wantsMoney ||= isRollupError(error, "CMD_NO_ETHER");
          break;
        }
      }
    }
    return { failures, isWaiting };
  }

  #claimsOf(draws: readonly Draw[]) {
    const { game, publicClient } = this.#judge;
    const model = { rollup: this.#modules.client.rollupAddress, modelId: BigInt(this.modelId) };
    return claimsOfDraws(publicClient, game, model, draws, this.#reader);
  }

  /** @throws as `#claimOf`, and again what it threw about this answer */
  async #claimOnce(draw: Draw, epoch: number): Promise<Hex> {
    const name = nameOf(draw);
    if (this.#impossible.has(name)) throw this.#impossible.get(name);
    try {
      return await this.#claimOf(draw, epoch);
    } catch (error) {
      if (isRollupError(error) && ABOUT_ANSWER.has(error.code)) this.#impossible.set(name, error);
      throw error;
    }
  }

  /** @throws CMD_CLAIM_IMPOSSIBLE before a bond is spent on it */
  async #claimOf(draw: Draw, epoch: number): Promise<Hex> {
    const known = this.#traced.get(nameOf(draw));
    if (known !== undefined) return known;
    const { modelId } = this;
    const { payerId } = draw;
    const { answer, prompt, queryBytes, salt } = draw.kept!;
    const receipt = hex32(draw.receipt);
    const impossible = (why: string) =>
      challengerError("CMD_CLAIM_IMPOSSIBLE", `epoch ${epoch}: receipt ${receipt} is not claimed: ${why}`, {
        data: { modelId, epoch, receipts: [receipt] },
      });
    if (prompt === undefined) throw impossible("its prompt was not kept");
    this.#modules.log.info({ modelId, epoch, receipt }, `tracing receipt ${receipt}`);
    const { data, query } = await this.#trace(modelId, { payerId, salt: BigInt(salt), prompt, answer });
    const given = modelQueryOfBytes(Buffer.from(queryBytes, "base64"), false) as ArrayLike<number>;
    if (Array.from(query).some((entry, j) => entry !== given[j]))
      throw impossible("the model's own trace makes another query of prompt and answer");
    this.#traced.set(nameOf(draw), data);
    return data;
  }

  async #drawsOf(leaf: LedgerModelLeaf, closed: ClosedEpochView, prevRandao: bigint) {
    const of = drawOf(closed, prevRandao);
    if (this.#drawn.of === of) return this.#drawn.draws;
    const { answerOf, client, log } = this.#modules;
    const { modelId } = this;
    const { payments, closed: facts } = await readClosedEpoch(client, modelId, closed.epoch);
    const seed = drawSeed({ ...facts, prevRandao, modelId });
    const cumulativeWei = payments.map((payment) => payment.cumulativeWei);
    const draws: Draw[] = [];
    for (const place of drawnPlaces(seed, leaf.model.drawCount, facts.amountWei, cumulativeWei)) {
      const { payerId, receipt } = payments[place]!;
      const kept = await answerOf(modelId, receipt);
      // Attack: somebody pays for another's receipt. It does not open for him.
      const isValid = kept?.payerId === payerId;
      draws.push({ payerId, receipt, isValid, kept: isValid ? kept : undefined });
    }
    this.#traced.clear();
    this.#impossible.clear();
    this.#drawn = { of, draws };
    const openCount = draws.filter(({ isValid }) => isValid).length;
    log.info(
      { modelId, epoch: closed.epoch },
      `epoch ${closed.epoch} is drawn: ${openCount} of ${draws.length} draws have an answer here`,
    );
    return draws;
  }

  async #readTerms(): Promise<Terms> {
    const { game, publicClient } = this.#judge;
    const read = readGame(publicClient, game);
    this.#terms ??= {
      bondWei: await read("leastBondWei", []),
      windowSeconds: await read("windowSeconds", []),
    };
    return this.#terms;
  }

  /** Said before it is missing: an epoch is claimed within days. */
  async #lookAtMoney({ bondWei }: Terms, drawCount: number) {
    const { address, publicClient } = this.#judge;
    const balanceWei = await l1Call("read the balance", () => publicClient.getBalance({ address }));
    const epochBondsWei = BigInt(drawCount) * bondWei;
    this.#modules.report(this.modelId).setMoney(balanceWei, epochBondsWei);
    if (balanceWei >= bondWei) return;
    this.wantsMoney = true;
    this.#tellOnce(
      "money",
      `${address} has ${formatEther(balanceWei)} ETH: no claim can be made. An epoch takes up to ${formatEther(epochBondsWei)} ETH of bonds`,
    );
  }

  #tellOnce(of: "money" | "epoch", message: string): void {
    if (this.#told.get(of) === message) return;
    this.#told.set(of, message);
    this.#modules.log.error({ modelId: this.modelId }, message);
  }
}

const drawOf = ({ chain, epoch }: ClosedEpochView, prevRandao: bigint) => `${epoch}/${chain}/${prevRandao}`;
const nameOf = ({ payerId, receipt }: DrawnReceipt) => `${payerId}/${receipt}`;
