pragma circom 2.1.6;

include "../../field/range-check.circom";

// The treasury's part of every payment in 65,536ths; TREASURY_PARTS in protocol.ts.
function TREASURY_PARTS() { return 3277; }

// What one draw pays and how it is divided, and the quantum that an epoch pays its payees in. Rules: drawShares in settlement-split.ts.
//
// Parameters:  drawBits: log2 of the number of draws, at most 7.
// Inputs:      amount: P; ownerParts: the owner's part in 65,536ths.
// Outputs:     drawWei = P >> drawBits; treasuryWei, ownerWei: its parts, rounded down; rewardWei: the rest;
//              quantum: 2^u with u = max(0, bits of P − 40); rewardQuanta = rewardWei >> u.
// Assumes:     ownerParts + TREASURY_PARTS ≤ 65,536, both ≥ 0: an activation proves it (payee-table.circom).
// Ensures:     amount < 2^96 and the outputs are as above; rewardWei ≥ 0 and below 2^96; quantum ≤ 2^56, rewardQuanta < 2^40;
//              the rewardQuanta of all draws together are below 2^40, too, and quantum times them at most P.
//
// Why: every quotient has a range of its own, below 2^97, and every remainder that of its power of two, so both sides of
// each equation stay below 2^114 < r. Without the quotient's, q − y / 2^16 would pass, with the rest grown by y.
// Constraints: 96 + 2 · 112 + 1 + 3 and 409 of the quantum, of these 7 linear; where drawBits > 0 one more, linear.
template DrawShares(drawBits) {
    signal input amount;
    signal input ownerParts;
    signal output drawWei;
    signal output treasuryWei;
    signal output ownerWei;
    signal output rewardWei;
    signal output quantum;
    signal output rewardQuanta;

    // A. One draw's amount. Hints, since shifts are not quadratic; ranges and the linear equations pin them.
    if (drawBits == 0) {
        drawWei <== amount;
    } else {
        drawWei <-- amount >> drawBits;
        component restRange = RangeCheck(drawBits);
        restRange.in <== amount - (1 << drawBits) * drawWei;
    }
    component drawRange = RangeCheck(96 - drawBits);
    drawRange.in <== drawWei;

    // B. The treasury's part.
    treasuryWei <-- (TREASURY_PARTS() * drawWei) >> 16;
    component treasuryRange = RangeCheck(96);
    treasuryRange.in <== treasuryWei;
    component treasuryRest = RangeCheck(16);
    treasuryRest.in <== TREASURY_PARTS() * drawWei - (1 << 16) * treasuryWei;

    // C. The owner's part.
    signal owned <== ownerParts * drawWei;
    ownerWei <-- owned >> 16;
    component ownerRange = RangeCheck(96);
    ownerRange.in <== ownerWei;
    component ownerRest = RangeCheck(16);
    ownerRest.in <== owned - (1 << 16) * ownerWei;

    rewardWei <== drawWei - treasuryWei - ownerWei;

    // D. The quantum: one of 57 powers. P = quantum · q + rest with rest < quantum; q < 2^40, and q ≥ 2^39 unless u = 0. So no
    //    other u has such a q. What is decomposed are integers below 2^97.
    signal isBits[57];
    var count = 0;
    var power = 0;
    for (var u = 0; u < 57; u++) {
        isBits[u] <-- u == 0 ? (amount >> 40) == 0 : (amount >> (39 + u)) == 1;
        isBits[u] * (1 - isBits[u]) === 0;
        count += isBits[u];
        power += (1 << u) * isBits[u];
    }
    count === 1;
    quantum <== power;
    component whole = QuantumShift();
    whole.quantum <== quantum;
    whole.wei <== amount;
    signal upper <== (1 - isBits[0]) * (whole.quanta - (1 << 39));
    component upperRange = RangeCheck(39);
    upperRange.in <== upper;
    component reward = QuantumShift();
    reward.quantum <== quantum;
    reward.wei <== rewardWei;
    rewardQuanta <== reward.quanta;
}

// Inputs:      wei < 2^96; quantum: a power of two, at most 2^56.
// Outputs:     quanta = floor(wei / quantum).
// Assumes:     what is said of the inputs. Ensures: the output, and that it is below 2^40.
// Constraints: 40 + 2 · 56 + 1.
template QuantumShift() {
    signal input quantum;
    signal input wei;
    signal output quanta;

    // Quotient and rest are hints, pinned by their ranges: quantum · quanta + rest < 2^97 < r.
    quanta <-- quantum == 0 ? 0 : wei \ quantum;
    signal product <== quantum * quanta;
    component quantaRange = RangeCheck(40);
    quantaRange.in <== quanta;
    component restRange = RangeCheck(56);
    restRange.in <== wei - product;
    component belowRange = RangeCheck(56);
    belowRange.in <== quantum - 1 - (wei - product);
}
