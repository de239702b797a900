pragma circom 2.1.6;

include "../field/poseidon.circom";

// A model's payee table: which payees there are, how many rows each has, and the commitment to the counts.
// Rules: ownersCommitment in rewards.ts.
//
// Parameters:  payees 1 … 512.
// Inputs:      present[payees], rowCounts[payees]: witness.
// Outputs:     payeeCount (M); rowTotal (N), the sum of the counts; ownersCommitment.
// Assumes:     nothing; the caller compares ownersCommitment with the model's.
// Ensures:     present is 1 for payees 0 … M − 1 and 0 behind them, M ≥ 1; counts of absent payees are 0;
//              ownersCommitment = h over M and the first ceil(M / 15) chunks of counts (docs/reference/settlement.md).
// Constraints: 2 a payee, less 2; 609 for every 15 payees or part of 15, and 1 for each such but the first; 2, linear.
template Payees(payees) {
    signal input present[payees];
    signal input rowCounts[payees];
    signal output payeeCount;
    signal output rowTotal;
    signal output ownersCommitment;

    // A. Each flag is 0 or its predecessor's, and the first is 1: so all are boolean, and zeros are a suffix.
    present[0] === 1;
    var presentSum = 0;
    var countSum = 0;
    for (var m = 0; m < payees; m++) {
        if (m > 0) { present[m] * (present[m - 1] - present[m]) === 0; }
        rowCounts[m] * (1 - present[m]) === 0;
        presentSum += present[m];
        countSum += rowCounts[m];
    }
    payeeCount <== presentSum;
    rowTotal <== countSum;

    // B. Chunk c belongs to the chain iff its first payee is there, that is iff 15 c < M.
    var chunks = (payees + 14) \ 15;
    component hash[chunks];
    signal chain[chunks + 1];
    chain[0] <== payeeCount;
    for (var c = 0; c < chunks; c++) {
        hash[c] = HashTagged(16, 35);
        hash[c].in[0] <== chain[c];
        for (var j = 0; j < 15; j++) {
            if (15 * c + j < payees) { hash[c].in[j + 1] <== rowCounts[15 * c + j]; } else { hash[c].in[j + 1] <== 0; }
        }
        if (c == 0) {
            chain[1] <== hash[0].out;
        } else {
            chain[c + 1] <== chain[c] + present[15 * c] * (hash[c].out - chain[c]);
        }
    }
    ownersCommitment <== chain[chunks];
}
