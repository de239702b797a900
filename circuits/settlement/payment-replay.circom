pragma circom 2.1.6;

include "../field/poseidon.circom";

// Replays a closed epoch's chain of payments and offers each (packed before, packed after, receipt) to the draws.
// Rules: paymentChain in settlement-rules.ts.
//
// Parameters:  payments ≥ 1; hitBits: bits of how many draws one payment can have.
// Inputs:      beta, betaSquare, gamma: challenges. active[payments]; receipt[payments]; packed[payments]: payer 24 |
//              cumulative wei << 24; hits[payments]: how many draws the payment has. All witness.
// Outputs:     chain; last: the last active payment's packed; lookup = Σ hits / (γ − before − β packed − β² receipt).
// Assumes:     the caller compares chain with the closed one: a chain of hashes from 0, so it binds the number, the order
//              and the content of the active payments. β and γ are hashes that nobody could compute before chain and hits
//              were fixed.
// Ensures:     active payments are a prefix; hits are below 2^hitBits, and 0 for inactive ones, so that packing them is
//              injective; an inactive payment adds nothing to chain, last and lookup.
//
// The sum so far is a witness: its growth, the term, satisfies term (γ − f) = hits. For active payments f is bound by the chain, hence fixed before γ,
// and differs from it. An inactive payment's f is not: its prover could choose f = γ and then any term. So its term is
// held to 0.
// Constraints: 261 + 7 + hitBits a payment; none linear.
template PaymentReplay(payments, hitBits) {
    signal input beta;
    signal input betaSquare;
    signal input gamma;
    signal input active[payments];
    signal input receipt[payments];
    signal input packed[payments];
    signal input hits[payments];
    signal output chain;
    signal output last;
    signal output lookup;

    component step[payments];
    signal chainAfter[payments + 1];
    signal lastAfter[payments + 1];
    signal bit[payments][hitBits]; // bit[i][0] stays unused
    signal ofPacked[payments];
    signal ofReceipt[payments];
    signal lookupAfter[payments + 1];
    chainAfter[0] <== 0;
    lastAfter[0] <== 0;
    lookupAfter[0] <== 0;
    for (var i = 0; i < payments; i++) {
        // A. Active payments are a prefix: each flag is 0 or its predecessor's.
        if (i == 0) { active[0] * (1 - active[0]) === 0; } else { active[i] * (active[i - 1] - active[i]) === 0; }

        // B. Chain, and the last packed amount.
        step[i] = HashTagged(3, 7);
        step[i].in[0] <== chainAfter[i];
        step[i].in[1] <== receipt[i];
        step[i].in[2] <== packed[i];
        chainAfter[i + 1] <== chainAfter[i] + active[i] * (step[i].out - chainAfter[i]);
        lastAfter[i + 1] <== lastAfter[i] + active[i] * (packed[i] - lastAfter[i]);

        // C. Hits, bit by bit; each is 0 or active. Bit 0 is the combination hits − the others.
        var lowest = hits[i];
        bit[i][0] <== 0;
        for (var b = 1; b < hitBits; b++) {
            // A hint, since a shift is not quadratic; pinned by their sum, as in RangeCheck.
            bit[i][b] <-- (hits[i] >> b) & 1;
            bit[i][b] * (bit[i][b] - active[i]) === 0;
            lowest -= bit[i][b] * (1 << b);
        }
        lowest * (lowest - active[i]) === 0;

        // D. The term.
        ofPacked[i] <== beta * packed[i];
        ofReceipt[i] <== betaSquare * receipt[i];
        var f = lastAfter[i] + ofPacked[i] + ofReceipt[i];
        // A division, hence a hint; the next lines determine it, see above.
        lookupAfter[i + 1] <-- lookupAfter[i] + (hits[i] == 0 ? 0 : hits[i] / (gamma - f));
        (lookupAfter[i + 1] - lookupAfter[i]) * (gamma - f) === hits[i];
        (lookupAfter[i + 1] - lookupAfter[i]) * (1 - active[i]) === 0;
    }
    chain <== chainAfter[payments];
    last <== lastAfter[payments];
    lookup <== lookupAfter[payments];
}
