pragma circom 2.1.6;

include "../field/poseidon.circom";

// A model's earner table: which earners there are, how many rows each has, and the commitment to the counts.
// Rules: ownersCommitment in rewards.ts.
//
// Parameters:  earners 1 … 256.
// Inputs:      present[earners], rowCounts[earners]: witness.
// Outputs:     earnerCount (M); rowTotal (N), the sum of the counts; ownersCommitment.
// Assumes:     nothing; the caller compares ownersCommitment with the model's.
// Ensures:     present is 1 for earners 0 … M − 1 and 0 behind them, M ≥ 1; counts of absent earners are 0;
//              ownersCommitment = h over M and the first ceil(M / 15) chunks of counts (docs/reference/settlement.md).
// Constraints: 2 an earner, less 2; 609 for every 15 earners or part of 15, and 1 for each such but the first; 2, linear.
template Earners(earners) {
    signal input present[earners];
    signal input rowCounts[earners];
    signal output earnerCount;
    signal output rowTotal;
    signal output ownersCommitment;

    // A. Each flag is 0 or its predecessor's, and the first is 1: so all are boolean, and zeros are a suffix.
    present[0] === 1;
    var presentSum = 0;
    var countSum = 0;
    for (var m = 0; m < earners; m++) {
        if (m > 0) { present[m] * (present[m - 1] - present[m]) === 0; }
        rowCounts[m] * (1 - present[m]) === 0;
        presentSum += present[m];
        countSum += rowCounts[m];
    }
    earnerCount <== presentSum;
    rowTotal <== countSum;

    // B. Chunk c belongs to the chain iff its first earner is there, that is iff 15 c < M.
    var chunks = (earners + 14) \ 15;
    component hash[chunks];
    signal chain[chunks + 1];
    chain[0] <== earnerCount;
    for (var c = 0; c < chunks; c++) {
        hash[c] = HashTagged(16, 35);
        hash[c].in[0] <== chain[c];
        for (var j = 0; j < 15; j++) {
            if (15 * c + j < earners) { hash[c].in[j + 1] <== rowCounts[15 * c + j]; } else { hash[c].in[j + 1] <== 0; }
        }
        if (c == 0) {
            chain[1] <== hash[0].out;
        } else {
            chain[c + 1] <== chain[c] + present[15 * c] * (hash[c].out - chain[c]);
        }
    }
    ownersCommitment <== chain[chunks];
}
