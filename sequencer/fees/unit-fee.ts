/**
 * Fee of a unit of weight in the next batch. Either a constant, or a fee that follows the operator's costs: L1's gas at
 * live prices, a share of a proof, a margin, and a surcharge while batches pile up.
 *
 * The fee of batch n + 1 is fixed when batch n gets its first operation, and is in the store with that operation. So it
 * is announced before its batch opens, and a restart goes on with it. From one batch to the next it moves by a bounded
 * part.
 */

/** Maximum fee per unit in the header's field, in wei: the limit of L1 and of the circuit (docs/reference/ledger.md). */
const MAX_HEADER_FEE_WEI = 2n ** 64n - 1n;
const PER_MILLE = 1_000n;
const WEI_PER_ETHER = 10n ** 18n;
/** Milliseconds after which L1's prices are forgotten: a bridge reports with every block. Guess. */
const PRICE_LASTS_MS = 600_000;

export const FEE_MODES = ["constant", "follow"] as const;

export interface UnitFeeRules {
  readonly feeMode: (typeof FEE_MODES)[number];
  /** The constant; where the fee follows, its first value. OPEN wei a unit, as all fees here. */
  readonly feePerUnitWei: bigint;
  readonly feeMinPerUnitWei: bigint;
  readonly feeMaxPerUnitWei: bigint;
  /** Maximum move from a batch to the next, in thousandths of itself; at least one wei. */
  readonly feeStepPerMille: number;
  readonly feeMarginPerMille: number;
  /** Surcharge, in thousandths, where the maximum number of batches waits for L1. */
  readonly feeLoadPerMille: number;
  /** L1 gas of a batch, whatever its content; `feeGasPerUnit` is that of a unit in it. */
  readonly feeGasPerBatch: number;
  readonly feeGasPerUnit: number;
  /** Units that a batch is taken to have, so that an empty rollup does not price its next user out. */
  readonly feeUnitsPerBatch: number;
  /** OPEN wei that a batch's proof costs the operator. */
  readonly feeProofCostWei: bigint;
}

/** Price of L1's gas in wei of ether, and the time of the bridge's report. */
interface GasPrice {
  readonly gasPriceWei: bigint;
  readonly reportedAtMs: number;
}

/** Inputs of the last target fee, for people. */
interface FeeBasis extends GasPrice {
  readonly openPerEtherWei: bigint;
  /** Target of the fee, in wei. */
  readonly aimWei: bigint;
}

/** Cost of a unit to the operator in wei, with margin and surcharge; rounded up. */
export function aimOf(
  rules: UnitFeeRules,
  { gasPriceWei, load, openPerEtherWei }: { gasPriceWei: bigint; load: number; openPerEtherWei: bigint },
): bigint {
  const units = BigInt(rules.feeUnitsPerBatch);
  const gas = BigInt(rules.feeGasPerBatch) + BigInt(rules.feeGasPerUnit) * units;
  const surcharge = BigInt(Math.round(rules.feeLoadPerMille * Math.min(1, Math.max(0, load))));
  const scaled =
    (gas * gasPriceWei * openPerEtherWei + rules.feeProofCostWei * WEI_PER_ETHER) *
    (PER_MILLE + BigInt(rules.feeMarginPerMille)) *
    (PER_MILLE + surcharge);
  const divisor = WEI_PER_ETHER * units * PER_MILLE * PER_MILLE;
  return (scaled + divisor - 1n) / divisor;
}

export class UnitFee {
  readonly rules: UnitFeeRules;
  readonly #clock: () => number;
  /** Wei of OPEN for an ether, or null where it is unknown. */
  readonly openPerEther: () => bigint | null;
  #next: bigint;
  #gas: GasPrice | null = null;

  /**
   * @param announced the next batch's fee as the store has it, or null
   */
  constructor(
    rules: UnitFeeRules,
    modules: { clock: () => number; openPerEther: () => bigint | null },
    announced: bigint | null,
  ) {
    this.rules = rules;
    this.#clock = modules.clock;
    this.openPerEther = modules.openPerEther;
    this.#next =
      rules.feeMode === "constant" ? rules.feePerUnitWei : this.#within(announced ?? rules.feePerUnitWei);
  }

  /** Fee per unit of the next batch, in wei. */
  get nextWei(): bigint {
    return this.#next;
  }

  /** Notes the gas price of a block that the bridge has seen. @param gasPriceWei base fee and tip */
  noteGasPrice(gasPriceWei: bigint): void {
    this.#gas = { gasPriceWei, reportedAtMs: this.#clock() };
  }

  /**
   * Inputs of the target fee; null where the fee is constant, or a price is unknown or too old: then the fee stays where
   * it is.
   */
  basis(load: number): FeeBasis | null {
    const openPerEtherWei = this.openPerEther();
    const gas = this.#gas;
    if (this.rules.feeMode === "constant" || gas === null || openPerEtherWei === null) return null;
    if (this.#clock() - gas.reportedAtMs > PRICE_LASTS_MS) return null;
    return {
      ...gas,
      openPerEtherWei,
      aimWei: aimOf(this.rules, { gasPriceWei: gas.gasPriceWei, load, openPerEtherWei }),
    };
  }

  /**
   * A batch was opened with `nextWei`: fixes the fee of the one after it.
   * @param load 0 where no batch waits for L1, 1 where as many wait as may
   * @returns the new `nextWei`, to be made durable with the batch's first operation
   */
  advance(load: number): bigint {
    const basis = this.basis(load);
    if (basis !== null) this.#next = this.#within(this.#towards(basis.aimWei));
    return this.#next;
  }

  /** The highest fee that a batch may have after one with this fee. */
  highestAfter(wei: bigint): bigint {
    return this.#within(wei + this.#stepOf(wei));
  }

  #stepOf(wei: bigint): bigint {
    const part = (wei * BigInt(this.rules.feeStepPerMille)) / PER_MILLE;
    return part === 0n ? 1n : part;
  }

  #towards(aimWei: bigint): bigint {
    const step = this.#stepOf(this.#next);
    if (aimWei > this.#next + step) return this.#next + step;
    if (aimWei < this.#next - step) return this.#next - step;
    return aimWei;
  }

  #within(wei: bigint): bigint {
    const { feeMaxPerUnitWei, feeMinPerUnitWei } = this.rules;
    const max = feeMaxPerUnitWei < MAX_HEADER_FEE_WEI ? feeMaxPerUnitWei : MAX_HEADER_FEE_WEI;
    if (wei > max) return max;
    return wei < feeMinPerUnitWei ? feeMinPerUnitWei : wei;
  }
}
