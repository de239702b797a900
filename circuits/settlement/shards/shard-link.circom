pragma circom 2.1.6;

include "../../field/hash-chain.circom";

// What the proof of a sharded settlement's draws and that of one of its shards both show, as one element that L1 compares.
// Rules: shardLink in shard-link.ts.
//
// Parameters:  draws.
// Inputs:      of the shard: featuresCommitment, ownersCommitment; its subtree of the rewards tree before and after; earnedSum:
//              Σ T in wei. Of the epoch: quantum, in wei; muEven. Of each draw: queryCommitment; positiveTotal: Σ s⁺ of the
//              shard's rows; mu; isValid.
// Outputs:     link.
// Assumes:     isValid is boolean.
// Ensures:     link is a hash of all inputs and of the number of draws, but of a void draw only of its mu, and that it is void. So what
//              nothing binds, a void draw's query and its totals, makes no second link, and no second C, of one settlement.
// Constraints: 609 for every 15 of 7 + 3 · draws or part of 15, and 2 for each draw; and 1, linear.
template ShardLink(draws) {
    signal input featuresCommitment;
    signal input ownersCommitment;
    signal input oldSubroot;
    signal input newSubroot;
    signal input earnedSum;
    signal input quantum;
    signal input muEven;
    signal input queryCommitment[draws];
    signal input positiveTotal[draws];
    signal input mu[draws];
    signal input isValid[draws];
    signal output link;

    component chain = HashChain(7 + 3 * draws, 38);
    // Attack: a payer's receipt with a query commitment of 0, valid for one proof and void for the other. So the flags are hashed.
    var start = draws;
    for (var k = 0; k < draws; k++) { start += (1 << (8 + k)) * isValid[k]; }
    chain.start <== start;
    chain.in[0] <== featuresCommitment;
    chain.in[1] <== ownersCommitment;
    chain.in[2] <== oldSubroot;
    chain.in[3] <== newSubroot;
    chain.in[4] <== earnedSum;
    chain.in[5] <== quantum;
    chain.in[6] <== muEven;
    for (var k = 0; k < draws; k++) {
        chain.in[7 + 3 * k] <== isValid[k] * queryCommitment[k];
        chain.in[8 + 3 * k] <== isValid[k] * positiveTotal[k];
        chain.in[9 + 3 * k] <== mu[k];
    }
    link <== chain.out;
}
