pragma circom 2.1.6;

include "../../field/range-check.circom";

// The payment that a draw's point falls into, and who made it.
//
// Parameters:  draw: which one, k; drawBits: log2 of the number of draws, at most 7.
// Inputs:      seedAmount: seed · P; amount: P; before, after: payer 24 | cumulative wei << 24 before and after the payment
//              (0 before the first).
// Outputs:     payer: of the payment.
// Assumes:     seed < 2^128 and P < 2^96; before and after are what the ledger packed, so integers below 2^120.
// Ensures:     cum_before ≤ x_k < cum_after, x_k = ((seed + k 2^128) P) >> (128 + drawBits); payer = after mod 2^24.
//
// Why: v = (seed + k 2^128) P < 2^(224 + drawBits). v = x 2^S + rest with x < 2^96 and rest < 2^S, S = 128 + drawBits, both
// sides below 2^231 < r: so x and rest are quotient and remainder. cum_before = x − δ with 0 ≤ δ < 2^96 lies above −2^96,
// and before = payer + 2^24 cum_before as field elements between −2^121 and 2^121, so as integers; payer < 2^24
// makes both unique. The same for cum_after = x + 1 + δ'. So each summand has a range of its own (x, payer, δ, rest), and a
// check of a scaled difference, as that of rest and of (before − payer) / 2^24, is only about numbers below 2^231.
// Constraints: 464 + drawBits + 3, of these 3 linear.
template DrawPoint(draw, drawBits) {
    signal input seedAmount;
    signal input amount;
    signal input before;
    signal input after;
    signal output payer;

    var S = 128 + drawBits;
    // A. The point. Divisions and differences are hints, since a quotient is not quadratic; see Why.
    var v = seedAmount + draw * (1 << 128) * amount;
    signal point <-- v \ (1 << S);
    component pointRange = RangeCheck(96);
    pointRange.in <== point;
    component restRange = RangeCheck(S);
    restRange.in <== v - (1 << S) * point;

    // B. Before: its payer is of no interest.
    signal payerBefore <-- before & 0xffffff;
    component payerBeforeRange = RangeCheck(24);
    payerBeforeRange.in <== payerBefore;
    component aboveRange = RangeCheck(96);
    aboveRange.in <== point - (before - payerBefore) * TWO_24_INVERSE();

    // C. After.
    payer <-- after & 0xffffff;
    component payerRange = RangeCheck(24);
    payerRange.in <== payer;
    component belowRange = RangeCheck(96);
    belowRange.in <== (after - payer) * TWO_24_INVERSE() - 1 - point;
}

// 1 / 2^24 in the field; draw-point.test.ts computes it again.
function TWO_24_INVERSE() { return 21888241567198334088790460357988866238279339518792980768180410072331574733841; }
