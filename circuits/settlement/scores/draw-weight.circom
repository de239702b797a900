pragma circom 2.1.6;

include "../../field/range-check.circom";

// μ: what a unit of a draw's weights earns, in 2^-40 wei. Rules: rewardPerUnit in settlement-split.ts.
//
// Parameters:  rows; totalBits with rows · max(s⁺) < 2^totalBits and rows < 2^totalBits, at most 100.
// Inputs:      positive[rows]: s⁺, each ≥ 0; rowTotal: N; rewardWei: what contributors and validators get of a valid draw;
//              isValid.
// Outputs:     mu; muEven: mu where no score is positive and every row has weight 1, else 0.
// Assumes:     positive as stated; 1 ≤ rowTotal ≤ rows; rewardWei < 2^96; isValid is boolean.
// Ensures:     isValid = 1: mu = floor(2^40 rewardWei / total), total = Σ positive, or N where that is 0. isValid = 0:
//              mu = 0.
//
// Why: total ≥ 1 and below 2^totalBits, mu < 2^136 and rest < total, so mu · total + rest < 2^237 < r and the equation
// holds between integers. With isValid = 0 it says 0 = mu · total + rest, so mu = 0.
// Constraints: 136 + 2 · totalBits + 8; of these 2 linear.
template DrawWeight(rows, totalBits) {
    assert(totalBits <= 100);
    signal input positive[rows];
    signal input rowTotal;
    signal input rewardWei;
    signal input isValid;
    signal output mu;
    signal output muEven;

    // A. The sum, in two steps: the compiler's work is quadratic in the number of terms of one sum.
    var sum = 0;
    for (var i = 0; i < rows; i += 128) {
        var part = 0;
        for (var j = i; j < i + 128 && j < rows; j++) { part += positive[j]; }
        sum += part;
    }
    signal positiveTotal <== sum;
    component isEven = IsZero();
    isEven.in <== positiveTotal;
    signal total <== positiveTotal + isEven.out * rowTotal;

    // B. mu by division: quotient and remainder are hints, pinned by the ranges.
    signal shared <== rewardWei * isValid;
    mu <-- total == 0 ? 0 : ((1 << 40) * shared) \ total;
    signal rest <-- total == 0 ? 0 : ((1 << 40) * shared) % total;
    mu * total === (1 << 40) * shared - rest;
    component muRange = RangeCheck(136);
    muRange.in <== mu;
    component restRange = RangeCheck(totalBits);
    restRange.in <== rest;
    component belowRange = RangeCheck(totalBits);
    belowRange.in <== total - 1 - rest;

    muEven <== isEven.out * mu;
}
