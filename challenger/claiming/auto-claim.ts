/**
 * Claims what was drawn of a language model that promises it, without anybody's help: each drawn receipt that the server has an
 * answer of, with a bond; plays the owner's moves where somebody challenges; and takes bonds back (docs/explanation/fault-proofs.md).
 *
 * Nothing is remembered between turns. Every turn asks ledger and L1 what is drawn, claimed and played, so a kill at any
 * moment costs at most one trace.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import { drawnPlaces, drawSeed } from "@openledger/circuits/settlement/settlement-split";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { ClosedEpochView, LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import { readClosedEpoch } from "@openledger/models/settling/prepare-settlement";
import { type Address, formatEther, type Hex, type PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { claimsOfDraws, type DrawClaim, type DrawnReceipt } from "../games/draw-claims.ts";
import type { PlayedMove } from "../games/played-moves.ts";
import type { ClaimedText } from "./claim-worker.ts";
import { type ClaimingReport, countDraws } from "./claiming-report.ts";

/** The contract that judges the model's draws, and the account that claims there. */
export interface ClaimingJudge {
  readonly game: Address;
  readonly address: Address;
  readonly publicClient: PublicClient;
  /** Returns once it is mined. @throws CLI_L1_REVERTED, CON_L1_COST_ABOVE_CAP, CMD_NO_ETHER, CMD_L1_PENDING, BRG_L1_* */
  send(
    call: { readonly data: Hex; readonly valueWei: bigint },
    what: string,
  ): Promise<{ readonly hash: Hex; readonly gasUsed: bigint }>;
}

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

/** Makes the traces, which takes up to minutes. The first one also computes the roots of the model's numbers. */
export interface ClaimTracer {
  claim(receipt: ClaimedText): Promise<{ readonly data: Hex; readonly query: ArrayLike<number> }>;
  /** The owner's moves in open games. What could not be played is tried again by the next call. */
  play(
    judge: ClaimingJudge,
  ): Promise<{ readonly moves: readonly PlayedMove[]; readonly failures: readonly unknown[] }>;
}

/** A leaf that L1 was shown. */
interface ShownToL1 {
  readonly modelCommitment: bigint;
  readonly tree: string;
  readonly index: bigint;
  readonly gasUsed: bigint;
}

export interface AutoClaimModules {
  /** Reads only. */
  readonly client: LedgerClient;
  /** null while no contract on L1 waits for claims of the model. */
  readonly judge: () => Promise<ClaimingJudge | null>;
  readonly tracer: ClaimTracer;
  /** undefined where nobody was given this receipt here: its draw is void. */
  readonly answerOf: (receipt: bigint) => Promise<ClaimableAnswer | undefined>;
  /** Shows what is challenged of the model's own commitments, at the registry that the games are about. */
  readonly showLeaves: (judge: ClaimingJudge) => Promise<{
    readonly answered: readonly ShownToL1[];
    readonly failures: readonly unknown[];
  }>;
  /** Takes back the bonds of claims that stand, and what is owed; null for nothing. */
  readonly collect: (judge: ClaimingJudge) => Promise<{ readonly paidWei: bigint } | null>;
  readonly log: HelperLog;
  readonly report: ClaimingReport;
  /** The machine's clock. */
  readonly nowMs?: () => number;
}

interface Draw extends DrawnReceipt {
  readonly kept: ClaimableAnswer | undefined;
}

interface Terms {
  readonly bondWei: bigint;
  readonly windowSeconds: bigint;
}

/** A look at all claims that were ever made: for bonds of epochs that went by row counts. */
const COLLECT_EVERY_MS = 3_600_000;

/** A look at all model commitments: an answer has a day. */
const SHOW_EVERY_MS = 600_000;

/** What the next claim would meet, too. */
const STOPS_CLAIMING = new Set(["CMD_NO_ETHER", "CMD_L1_PENDING", "BRG_L1_UNREACHABLE"]);

/** Of the kept answer alone: tried again, it would be the same. */
const ABOUT_ANSWER = new Set(["CMD_CLAIM_IMPOSSIBLE", "ATT_ROW_INVALID", "ATT_ANSWER_INVALID"]);

export class AutoClaimer {
  readonly report: ClaimingReport;
  readonly #modelId: number;
  readonly #modules: AutoClaimModules;
  readonly #nowMs: () => number;
  #terms: Terms | null = null;
  /** Of the epoch that is drawn: they do not change. */
  #drawn: { readonly of: string; readonly draws: readonly Draw[] } = { of: "", draws: [] };
  /** Claims that are traced and not on L1, where ether is missing. */
  readonly #traced = new Map<string, Hex>();
  /** Draws that no claim can be made of. A trace takes seconds: none is made twice for nothing. */
  readonly #impossible = new Map<string, unknown>();
  /** Too little ether for a claim. */
  #isShort = false;
  #collectAtMs = 0;
  #showAtMs = 0;
  #collectedOf = "";
  /** The epoch that is drawn, "" for none; whether this account has claims in it. */
  #current = { of: "", hasClaims: false };
  /** An epoch with claims was over before a look found all of them standing. */
  #isOwed = false;
  /** What was said last, so that each thing is said once. */
  readonly #told = new Map<"money" | "epoch", string>();

  constructor(modelId: number, modules: AutoClaimModules) {
    this.#modelId = modelId;
    this.#modules = modules;
    this.report = modules.report;
    this.#nowMs = modules.nowMs ?? Date.now;
  }

  /**
   * Looks what is drawn, played and claimed, and does what is missing, which may take as long as several traces. Games come
   * first: their time runs. @throws CMD_NO_ETHER, CMD_L1_PENDING, CMD_CLAIM_IMPOSSIBLE, and what ledger and L1 throw
   */
  async turn(): Promise<void> {
    const { judge: findJudge, report } = this.#modules;
    const judge = await findJudge();
    if (judge === null) {
      report.set({ stage: "unregistered", epoch: null, draws: countDraws([]) });
      report.noteSuccess();
      return;
    }
    const failures: unknown[] = [];
    // Bonds that stand are taken back whatever fails before: they may be the ether that is missing.
    for (const step of [() => this.#defend(judge), () => this.#claimDrawn(judge), () => this.#collect(judge)])
      try {
        failures.push(...(await step()));
      } catch (error) {
        // Others settle, too: the epoch was settled between two looks.
        if (!isRollupError(error, "CLI_NOTHING_CLOSED")) failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
    report.noteSuccess();
  }

  /** @returns what could not be played: the next turn tries it again */
  async #defend(judge: ClaimingJudge): Promise<readonly unknown[]> {
    const { log, report, tracer } = this.#modules;
    const unshown = await this.#showLeaves(judge).catch((error: unknown) => [error]);
    const openGames = await read<bigint>(judge, "openGamesOf", [judge.address]);
    report.set({ openGames: Number(openGames) });
    if (openGames === 0n) return unshown;
    const { failures, moves } = await tracer.play(judge);
    for (const { claimId, gameId, gasUsed, what } of moves) {
      report.noteMove(what);
      log.info(
        { modelId: this.#modelId, claimId, gameId, what, gasUsed },
        `game ${gameId} about claim ${claimId}: ${what}, ${gasUsed} gas`,
      );
    }
    return [...unshown, ...failures];
  }

  /** @returns why leaves could not be shown */
  async #showLeaves(judge: ClaimingJudge): Promise<readonly unknown[]> {
    if (this.#nowMs() < this.#showAtMs) return [];
    const { answered, failures } = await this.#modules.showLeaves(judge);
    this.#showAtMs = this.#nowMs() + SHOW_EVERY_MS;
    for (const { gasUsed, index, modelCommitment, tree } of answered)
      this.#modules.log.info(
        { modelId: this.#modelId, modelCommitment, tree, index, gasUsed },
        `model commitment ${modelCommitment}: leaf ${index} of "${tree}" is shown, ${gasUsed} gas`,
      );
    return failures;
  }

  /** @returns what keeps single receipts from being claimed */
  async #claimDrawn(judge: ClaimingJudge): Promise<unknown[]> {
    const { client, report } = this.#modules;
    const leaf = await getModel(client, this.#modelId);
    const terms = await this.#readTerms(judge);
    await this.#lookAtMoney(judge, terms, leaf.model.drawCount);
    const closed = leaf.closedEpoch;
    const of = closed === null || closed.prevRandao === null ? "" : drawOf(closed, closed.prevRandao);
    if (of !== this.#current.of) {
      this.#isOwed ||= this.#current.hasClaims && this.#collectedOf !== this.#current.of;
      this.#current = { of, hasClaims: false };
    }
    if (closed === null || closed.prevRandao === null) {
      report.set({ stage: "nothing-drawn", epoch: null, draws: countDraws([]) });
      return [];
    }
    const draws = await this.#drawsOf(leaf, closed, closed.prevRandao);
    const claims = await this.#claimsOf(judge, draws);
    const counts = countDraws(claims.map(({ state }) => state));
    const { epoch } = closed;
    report.set({ epoch, draws: counts });
    if (counts.open + counts.stands > 0) this.#current.hasClaims = true;
    if (counts.lost > 0) {
      report.set({ stage: "refuted" });
      this.#tellOnce("epoch", `epoch ${epoch}: ${claims.find(({ state }) => state === "lost")!.missing}`);
      return [];
    }
    const unclaimed = new Map(
      draws.filter((_, i) => claims[i]!.state === "unclaimed").map((draw) => [nameOf(draw), draw]),
    );
    if (unclaimed.size === 0) {
      report.set({ stage: counts.open > 0 ? "awaiting-windows" : "claimed" });
      return [];
    }
    const { timestamp } = await l1Call("read the latest block", () => judge.publicClient.getBlock());
    const { defaultSplitFromSeconds: rowsFrom } = closed;
    if (rowsFrom !== null && timestamp + terms.windowSeconds >= BigInt(rowsFrom)) {
      report.set({ stage: "too-late" });
      this.#tellOnce(
        "epoch",
        `epoch ${epoch}: no claim would stand before it goes by row counts; none is made`,
      );
      return [];
    }
    report.set({ stage: "claiming" });
    const failures = await this.#claimAll(judge, terms, epoch, [...unclaimed.values()]);
    if (failures.length === 0) report.set({ stage: "awaiting-windows" });
    return failures;
  }

  async #claimAll(judge: ClaimingJudge, { bondWei }: Terms, epoch: number, draws: readonly Draw[]) {
    const { log, report } = this.#modules;
    const modelId = this.#modelId;
    const failures: unknown[] = [];
    for (const draw of draws) {
      const receipt = hex32(draw.receipt);
      try {
        const data = await this.#claimOnce(draw, epoch);
        // A trace takes minutes. What a process before this one has sent may be mined by now.
        if (!(await this.#isUnclaimed(judge, draw))) {
          this.#traced.delete(nameOf(draw));
          this.#current.hasClaims = true;
          continue;
        }
        const { gasUsed, hash } = await judge.send({ data, valueWei: bondWei }, "the claim");
        this.#traced.delete(nameOf(draw));
        this.#current.hasClaims = true;
        report.noteClaim();
        log.info(
          { modelId, epoch, receipt, l1TransactionHash: hash, gasUsed },
          `epoch ${epoch}: claimed receipt ${receipt} with a bond of ${formatEther(bondWei)} ETH`,
        );
      } catch (error) {
        // Attack: one answer that cannot be claimed, or that L1 refuses, ahead of all others.
        failures.push(error);
        if (!isRollupError(error) || STOPS_CLAIMING.has(error.code)) {
          this.#isShort ||= isRollupError(error, "CMD_NO_ETHER");
          break;
        }
      }
    }
    return failures;
  }

  #claimsOf({ game, publicClient }: ClaimingJudge, draws: readonly Draw[]): Promise<DrawClaim[]> {
    const rollup = this.#modules.client.rollupAddress;
    return claimsOfDraws(publicClient, game, { rollup, modelId: BigInt(this.#modelId) }, draws);
  }

  async #isUnclaimed(judge: ClaimingJudge, draw: Draw): Promise<boolean> {
    return (await this.#claimsOf(judge, [draw])).every(({ state }) => state === "unclaimed");
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
    const { payerId } = draw;
    const { answer, prompt, queryBytes, salt } = draw.kept!;
    const receipt = hex32(draw.receipt);
    const impossible = (why: string) =>
      challengerError("CMD_CLAIM_IMPOSSIBLE", `epoch ${epoch}: receipt ${receipt} is not claimed: ${why}`, {
        data: { modelId: this.#modelId, epoch, receipts: [receipt] },
      });
    if (prompt === undefined) throw impossible("its prompt was not kept");
    const { log, tracer } = this.#modules;
    log.info({ modelId: this.#modelId, epoch, receipt }, `tracing receipt ${receipt}`);
    const { data, query } = await tracer.claim({ payerId, salt: BigInt(salt), prompt, answer });
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
    const modelId = this.#modelId;
    const { payments, closed: facts } = await readClosedEpoch(client, modelId, closed.epoch);
    const seed = drawSeed({ ...facts, prevRandao, modelId });
    const cumulativeWei = payments.map((payment) => payment.cumulativeWei);
    const draws: Draw[] = [];
    for (const place of drawnPlaces(seed, leaf.model.drawCount, facts.amountWei, cumulativeWei)) {
      const { payerId, receipt } = payments[place]!;
      const kept = await answerOf(receipt);
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

  async #readTerms(judge: ClaimingJudge): Promise<Terms> {
    this.#terms ??= {
      bondWei: await read<bigint>(judge, "leastBondWei"),
      windowSeconds: await read<bigint>(judge, "windowSeconds"),
    };
    return this.#terms;
  }

  /** Said before it is missing: an epoch is claimed within days. */
  async #lookAtMoney({ address, publicClient }: ClaimingJudge, { bondWei }: Terms, drawCount: number) {
    const balanceWei = await l1Call("read the balance", () => publicClient.getBalance({ address }));
    const epochBondsWei = BigInt(drawCount) * bondWei;
    this.#modules.report.setMoney(balanceWei, epochBondsWei);
    this.#isShort = balanceWei < bondWei;
    if (this.#isShort)
      this.#tellOnce(
        "money",
        `${address} has ${formatEther(balanceWei)} ETH: no claim can be made. An epoch takes up to ${formatEther(epochBondsWei)} ETH of bonds`,
      );
  }

  /** As soon as all claims of an epoch stand or it is over, and now and then; at every turn while ether is missing. */
  async #collect(judge: ClaimingJudge): Promise<never[]> {
    const { collect, log, report } = this.#modules;
    const { stage } = report.view();
    const isNew = stage === "claimed" && this.#collectedOf !== this.#drawn.of;
    if (!isNew && !this.#isOwed && !this.#isShort && this.#nowMs() < this.#collectAtMs) return [];
    const paid = await collect(judge);
    this.#collectAtMs = this.#nowMs() + COLLECT_EVERY_MS;
    if (stage === "claimed") this.#collectedOf = this.#drawn.of;
    this.#isOwed = false;
    if (paid !== null)
      log.info(
        { modelId: this.#modelId, paidWei: `${paid.paidWei}` },
        `${formatEther(paid.paidWei)} ETH of bonds and stakes are paid to ${judge.address}`,
      );
    return [];
  }

  #tellOnce(of: "money" | "epoch", message: string): void {
    if (this.#told.get(of) === message) return;
    this.#told.set(of, message);
    this.#modules.log.error({ modelId: this.#modelId }, message);
  }
}

const drawOf = ({ chain, epoch }: ClosedEpochView, prevRandao: bigint) => `${epoch}/${chain}/${prevRandao}`;
const nameOf = ({ payerId, receipt }: DrawnReceipt) => `${payerId}/${receipt}`;

function read<T>({ game, publicClient }: ClaimingJudge, functionName: string, args: readonly unknown[] = []) {
  const call = { address: game, abi: traceGameAbi, functionName, args };
  return l1Call(`read ${functionName} of the games`, () =>
    publicClient.readContract(call as never),
  ) as Promise<T>;
}
