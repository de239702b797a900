pragma circom 2.1.6;

include "../../field/range-check.circom";

// The treasury's part of every payment in 65,536ths; TREASURY_PARTS in protocol.ts.
function TREASURY_PARTS() { return 3277; }

// What one draw pays and how it is divided. Rules: drawShares in settlement-split.ts.
//
// Parameters:  drawBits: log2 of the number of draws, at most 7.
// Inputs:      amount: P; ownerParts: the owner's part in 65,536ths.
// Outputs:     drawWei = P >> drawBits; treasuryWei, ownerWei: its parts, rounded down; rewardWei: the rest.
// Assumes:     ownerParts + TREASURY_PARTS ≤ 65,536, both ≥ 0: an activation proves it (payee-table.circom).
// Ensures:     amount < 2^96 and the outputs are as above; rewardWei ≥ 0 and below 2^96.
//
// Why: every quotient has a range of its own, below 2^97, and every remainder that of its power of two, so both sides of
// each equation stay below 2^114 < r. Without the quotient's, q − y / 2^16 would pass, with the rest grown by y.
// Constraints: 96 + 2 · 112 + 1 + 3, of these 3 linear; where drawBits > 0 one more, linear.
template DrawShares(drawBits) {
    signal input amount;
    signal input ownerParts;
    signal output drawWei;
    signal output treasuryWei;
    signal output ownerWei;
    signal output rewardWei;

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
}
