/** What a model's automatic claiming tells of itself: a view for people and programs, and metrics. */

import { StageReport, type StageView } from "@openledger/models/settler/turn-report";
import type { DrawState } from "../games/draw-claims.ts";

/** Where the claims of a model's draws stand. Found from the ledger and L1 each time, never remembered. */
const CLAIMING_STAGES = [
  "starting",
  /** No contract on L1 waits for claims of the model. */
  "unregistered",
  /** No epoch is closed, or its randomness is not on L1. */
  "nothing-drawn",
  "claiming",
  /** All is claimed; windows or games are open. */
  "awaiting-windows",
  /** Each draw has a claim that stands, or needs none: L1 takes them once they are approved. */
  "claimed",
  /** A claim was refuted: the epoch goes by row counts. */
  "refuted",
  /** No claim made now would stand before row counts are allowed. */
  "too-late",
] as const;
export type ClaimingStage = (typeof CLAIMING_STAGES)[number];

const DRAW_STATES = ["void", "lost", "unclaimed", "open", "stands"] as const satisfies readonly DrawState[];
type DrawCounts = Readonly<Record<DrawState, number>>;

export interface ClaimingView extends StageView<ClaimingStage> {
  /** The epoch that is drawn; null for none. */
  readonly epoch: number | null;
  readonly draws: DrawCounts;
  /** Open games about the account's claims in this contract. */
  readonly openGames: number;
  /** The claimant. */
  readonly account: string;
  /** Decimals; null before the first look. */
  readonly balanceWei: string | null;
  /** What the bonds of an epoch take at most, where each draw has a receipt of its own. */
  readonly epochBondsWei: string | null;
}

export function countDraws(states: readonly DrawState[]): DrawCounts {
  const count = (state: DrawState) => states.filter((one) => one === state).length;
  return Object.fromEntries(DRAW_STATES.map((state) => [state, count(state)])) as DrawCounts;
}

const inEther = (wei: bigint) => Number(wei) / 1e18;

/** What is told of it from the thread that claims. */
export type ClaimingNews = Pick<
  ClaimingReport,
  "set" | "setMoney" | "noteClaim" | "noteMove" | "noteFailure" | "noteSuccess"
>;

export class ClaimingReport extends StageReport<ClaimingView> {
  readonly #draws = this.declareMetric.gauge(
    "model_claiming_draws",
    "The epoch's draws by what L1 has of their claims",
    "state",
  );
  readonly #games = this.declareMetric.gauge(
    "model_claiming_open_games",
    "Open games about the claimant's claims",
  );
  readonly #balance = this.declareMetric.gauge("model_claiming_balance_ether", "What the claimant has on L1");
  readonly #bonds = this.declareMetric.gauge(
    "model_claiming_epoch_bonds_ether",
    "Most that bonds of an epoch's claims take",
  );
  readonly #claims = this.declareMetric.counter(
    "model_claiming_claims_total",
    "Receipts that this process has claimed",
  );
  readonly #moves = this.declareMetric.counter(
    "model_claiming_moves_total",
    "Moves in games that this process has made",
    "what",
  );

  constructor(account: string, nowMs: () => number = Date.now) {
    const about = "1 for where the claims of the model's draws are";
    const first = { epoch: null, draws: countDraws([]), openGames: 0, account };
    const names = { prefix: "model_claiming", about, stages: CLAIMING_STAGES };
    super(names, { ...first, balanceWei: null, epochBondsWei: null }, nowMs);
    this.set({});
  }

  override set(changed: Partial<Omit<ClaimingView, "account" | "stageSinceMs" | "failure">>): void {
    super.set(changed);
    for (const state of DRAW_STATES) this.#draws.set({ state }, this.view().draws[state]);
    this.#games.set(this.view().openGames);
  }

  setMoney(balanceWei: bigint, epochBondsWei: bigint): void {
    super.set({ balanceWei: `${balanceWei}`, epochBondsWei: `${epochBondsWei}` });
    this.#balance.set(inEther(balanceWei));
    this.#bonds.set(inEther(epochBondsWei));
  }

  noteClaim(): void {
    this.#claims.inc();
  }

  noteMove(what: string): void {
    this.#moves.inc({ what });
  }
}
