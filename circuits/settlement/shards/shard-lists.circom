pragma circom 2.1.6;

include "../../field/poseidon.circom";
include "../../field/range-check.circom";

// What a model's statics hold of its shards' owners and rows. Rules: ownersCommitment in rewards.ts.
//
// Parameters:  shards 1 … 8.
// Inputs:      present[shards]; of each shard rowTotal: N_s, owners: its own commitment. Absent ones are 0.
// Outputs:     shardCount (S); isSharded: S ≥ 2; rowTotal (N); ownersCommitment.
// Assumes:     the caller compares ownersCommitment and N with the model's.
// Ensures:     present is 1 for shards 0 … S − 1 and 0 behind them, S ≥ 1; N_s < 2^32, and 0 of absent shards, whose owners are
//              0, too. ownersCommitment is owners[0] where S = 1, else H[SHARD_OWNERS](S, all N_s, H[PAYEE_NODE](all owners)).
// Constraints: constraint-counts.json, "ShardOwners(…)".
template ShardOwners(shards) {
    signal input present[shards];
    signal input rowTotals[shards];
    signal input owners[shards];
    signal output shardCount;
    signal output isSharded;
    signal output rowTotal;
    signal output ownersCommitment;

    // A. Each flag is 0 or its predecessor's, and the first is 1: so all are boolean, and zeros are a suffix.
    present[0] === 1;
    component ranges[shards];
    var presentSum = 0;
    var rowSum = 0;
    var low = 0;
    var high = 0;
    for (var s = 0; s < shards; s++) {
        if (s > 0) {
            present[s] * (present[s - 1] - present[s]) === 0;
            rowTotals[s] * (1 - present[s]) === 0;
            owners[s] * (1 - present[s]) === 0;
        }
        ranges[s] = RangeCheck(32);
        ranges[s].in <== rowTotals[s];
        presentSum += present[s];
        rowSum += rowTotals[s];
        if (s < 4) { low += (1 << (32 * s)) * rowTotals[s]; } else { high += (1 << (32 * (s - 4))) * rowTotals[s]; }
    }
    shardCount <== presentSum;
    rowTotal <== rowSum;
    if (shards > 1) { isSharded <== present[1]; } else { isSharded <== 0; }

    // B. A list has a tag of its own: one shard's commitment is no list. Its owners are hashed as a node of the payee trees, which
    //    a wide slot opens.
    component node = HashTagged(8, 37);
    for (var s = 0; s < 8; s++) { if (s < shards) { node.in[s] <== owners[s]; } else { node.in[s] <== 0; } }
    component list = HashTagged(4, 40);
    list.in[0] <== shardCount;
    list.in[1] <== low;
    list.in[2] <== high;
    list.in[3] <== node.out;
    ownersCommitment <== owners[0] + isSharded * (list.out - owners[0]);
}

// What a sharded model's statics hold of its shards' features. Rules: shardFeatures in shard-link.ts.
//
// Parameters:  shards 2 … 8.
// Inputs:      present[shards], shardCount (S): ShardOwners; features[shards]: each shard's commitment, 0 of absent ones.
// Outputs:     featuresCommitment.
// Assumes:     present and shardCount as ShardOwners has them.
// Ensures:     featuresCommitment = H[SHARD_FEATURES](S, features, 0 …) of 16 inputs, and features of absent shards are 0.
// Constraints: constraint-counts.json, "ShardFeatures(…)".
template ShardFeatures(shards) {
    signal input present[shards];
    signal input shardCount;
    signal input features[shards];
    signal output featuresCommitment;

    component list = HashTagged(16, 39);
    list.in[0] <== shardCount;
    for (var s = 0; s < 15; s++) {
        if (s < shards) {
            features[s] * (1 - present[s]) === 0;
            list.in[1 + s] <== features[s];
        } else {
            list.in[1 + s] <== 0;
        }
    }
    featuresCommitment <== list.out;
}
