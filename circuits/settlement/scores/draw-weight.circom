pragma circom 2.1.6;

include "../../field/range-check.circom";

// μ: what a unit of a draw's weights earns, in 2^-40 quanta. Rules: rewardPerUnit in settlement-split.ts.
//
// Parameters:  totalBits, at most 100.
// Inputs:      positiveTotal: Σ s⁺, an integer below 2^totalBits; rowTotal: N; rewardQuanta: what contributors and
//              validators get of a valid draw; isValid.
// Outputs:     mu; muEven: mu where no score is positive and every row has weight 1, else 0.
// Assumes:     positiveTotal as stated; 1 ≤ rowTotal < 2^totalBits; rewardQuanta < 2^40; isValid is boolean.
// Ensures:     isValid = 1: mu = floor(2^40 rewardQuanta / total), total = positiveTotal, or N where that is 0. isValid = 0:
//              mu = 0.
//
// Why: total ≥ 1 and below 2^totalBits, mu < 2^80 and rest < total, so mu · total + rest < 2^181 < r and the equation
// holds between integers. With isValid = 0 it says 0 = mu · total + rest, so mu = 0.
// Constraints: 80 + 2 · totalBits + 7; of these 1 linear.
template DrawWeight(totalBits) {
    assert(totalBits <= 100);
    signal input positiveTotal;
    signal input rowTotal;
    signal input rewardQuanta;
    signal input isValid;
    signal output mu;
    signal output muEven;

    component isEven = IsZero();
    isEven.in <== positiveTotal;
    signal total <== positiveTotal + isEven.out * rowTotal;

    // mu by division: quotient and remainder are hints, pinned by the ranges.
    signal shared <== rewardQuanta * isValid;
    mu <-- total == 0 ? 0 : ((1 << 40) * shared) \ total;
    signal rest <-- total == 0 ? 0 : ((1 << 40) * shared) % total;
    mu * total === (1 << 40) * shared - rest;
    component muRange = RangeCheck(80);
    muRange.in <== mu;
    component restRange = RangeCheck(totalBits);
    restRange.in <== rest;
    component belowRange = RangeCheck(totalBits);
    belowRange.in <== total - 1 - rest;

    muEven <== isEven.out * mu;
}
