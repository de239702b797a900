pragma circom 2.1.6;

include "../field/poseidon.circom";

// A model's slot table: which slots there are, how many rows each has, and the commitment to the counts.
// Model: ownersCommitment in rewards.ts.
//
// Parameters:  slots 1 … 256.
// Inputs:      present[slots], rowCounts[slots]: witness.
// Outputs:     slotCount (M); rowTotal (N), the sum of the counts; ownersCommitment.
// Assumes:     nothing; the caller compares ownersCommitment with the model's.
// Ensures:     present is 1 for slots 0 … M − 1 and 0 behind them, M ≥ 1; counts of absent slots are 0;
//              ownersCommitment = h over M and the first ceil(M / 15) chunks of counts (docs/settlement.md).
// Constraints: 2 a slot, less 2; 609 for every 15 slots or part of 15, and 1 for each such but the first; 2, linear.
template RewardSlots(slots) {
    signal input present[slots];
    signal input rowCounts[slots];
    signal output slotCount;
    signal output rowTotal;
    signal output ownersCommitment;

    // A. Each flag is 0 or its predecessor's, and the first is 1: so all are boolean, and zeros are a suffix.
    present[0] === 1;
    var presentSum = 0;
    var countSum = 0;
    for (var m = 0; m < slots; m++) {
        if (m > 0) { present[m] * (present[m - 1] - present[m]) === 0; }
        rowCounts[m] * (1 - present[m]) === 0;
        presentSum += present[m];
        countSum += rowCounts[m];
    }
    slotCount <== presentSum;
    rowTotal <== countSum;

    // B. Chunk c belongs to the chain iff its first slot is there, that is iff 15 c < M.
    var chunks = (slots + 14) \ 15;
    component hash[chunks];
    signal chain[chunks + 1];
    chain[0] <== slotCount;
    for (var c = 0; c < chunks; c++) {
        hash[c] = HashTagged(16, 35);
        hash[c].in[0] <== chain[c];
        for (var j = 0; j < 15; j++) {
            if (15 * c + j < slots) { hash[c].in[j + 1] <== rowCounts[15 * c + j]; } else { hash[c].in[j + 1] <== 0; }
        }
        if (c == 0) {
            chain[1] <== hash[0].out;
        } else {
            chain[c + 1] <== chain[c] + present[15 * c] * (hash[c].out - chain[c]);
        }
    }
    ownersCommitment <== chain[chunks];
}
