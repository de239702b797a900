pragma circom 2.1.6;

include "./poseidon.circom";
include "./range-check.circom";
include "./slot-claim.circom";

// Seconds after which anyone may seal; protocol.ts has the same.
function EPOCH_SECONDS() { return 86400; }

// B's model body, opened and made anew, and the rules of an epoch's life: Genesis, Seal, Settle, Claim. Model:
// epoch-operations.ts.
//
// Inputs:      flags of the kinds; aId, bId; timestamp, batchNumber; word0; chainB, openAmountB, bodyB: of leaf B;
//              ready, cap, paymentCount, epoch: B's opened counters; statics[5], sealed, accruedRoot, claimedRoot,
//              epochStart: opening of the body (CreateModel: the body to be); newAccruedRoot: Settle; bits[201]: digits
//              of what the one active kind compares; claimedWei, accruedChildren, claimedChildren: slot-claim.circom.
// Outputs:     staticsHash; newBody; ownerWei, treasuryWei (Settle), gainWei (Claim), newCap (Genesis), 0 elsewhere;
//              noVoids: 0 where a Settle has voids.
// Assumes:     at most one flag is 1, bits are boolean; aId, bId < 2^24, timestamp, batchNumber < 2^40; under any of
//              these flags but CreateModel's, B is a model and its counters are opened with their widths; the caller
//              writes the chain, open amount, counters and balances, and checks balances to be 96 bits.
// Ensures:     the opened body is B's, except for CreateModel; newBody is the body after the operation; its rules hold
//              (docs/settlement.md, "Operations").
// Constraints: constraint-counts.json, "ModelBody()".
template ModelBody() {
    signal input isApproval;
    signal input isSeal;
    signal input isSettle;
    signal input isClaim;
    signal input isGenesis;
    signal input aId;
    signal input bId;
    signal input timestamp;
    signal input batchNumber;
    signal input word0;
    signal input chainB;
    signal input openAmountB;
    signal input bodyB;
    signal input ready;
    signal input cap;
    signal input paymentCount;
    signal input epoch;
    signal input statics[5];
    signal input sealed;
    signal input accruedRoot;
    signal input claimedRoot;
    signal input epochStart;
    signal input newAccruedRoot;
    signal input claimedWei;
    signal input bits[201];
    signal input accruedChildren[3][8];
    signal input claimedChildren[3][8];
    signal output staticsHash;
    signal output newBody;
    signal output ownerWei;
    signal output treasuryWei;
    signal output gainWei;
    signal output newCap;
    signal output noVoids;

    // A. The opening.
    component opened = HashTagged(5, 10);
    opened.in <== statics;
    staticsHash <== opened.out;
    component oldBody = HashTagged(5, 9);
    oldBody.in[0] <== staticsHash;
    oldBody.in[1] <== sealed;
    oldBody.in[2] <== accruedRoot;
    oldBody.in[3] <== claimedRoot;
    oldBody.in[4] <== epochStart;
    (isApproval + isSeal + isSettle + isClaim + isGenesis) * (oldBody.out - bodyB) === 0;

    // B. When. A model that is not ready has a slot root of its owner's choice, which nobody has shown to be without
    //    accrued amounts: nothing may be claimed from it. Genesis: all four are non-negative, so all are 0.
    (isSeal + isClaim) * (1 - ready) === 0;
    isGenesis * (ready + cap + paymentCount + epoch) === 0;
    isSeal * sealed === 0;
    // Seal: the open amount. Settle: the sealed epoch.
    signal needed <== sealed + isSeal * (openAmountB - sealed);
    component nothing = IsZero();
    nothing.in <== needed;
    (isSeal + isSettle) * nothing.out === 0;

    // C. Seal, by the model itself or after a day. epoch + 1 keeps 24 bits, so no carry reaches the price.
    var waited = 0;
    var nextEpoch = 0;
    for (var i = 0; i < 40; i++) { waited += (1 << i) * bits[i]; }
    for (var i = 0; i < 24; i++) { nextEpoch += (1 << i) * bits[40 + i]; }
    component self = IsEqual();
    self.a <== aId;
    self.b <== bId;
    signal isByOther <== isSeal * (1 - self.out);
    isByOther * (timestamp - epochStart - EPOCH_SECONDS() - waited) === 0;
    isSeal * (epoch + 1 - nextEpoch) === 0;
    component sealing = HashTagged(4, 11);
    sealing.in[0] <== chainB;
    sealing.in[1] <== staticsHash;
    sealing.in[2] <== epoch + (1 << 24) * batchNumber;
    sealing.in[3] <== openAmountB;
    signal newlySealed <== isSeal * sealing.out;

    // D. Settle and Genesis: J over the leaf's own values is the word that a settlement's proof shows. Settle's digits:
    //    ownerWei 96, treasuryWei 96, voids 8; Genesis': cap 16.
    var owner96 = 0;
    var treasury96 = 0;
    var voids8 = 0;
    var cap16 = 0;
    for (var i = 0; i < 96; i++) {
        owner96 += (1 << i) * bits[i];
        treasury96 += (1 << i) * bits[96 + i];
        if (i < 8) { voids8 += (1 << i) * bits[192 + i]; }
        if (i < 16) { cap16 += (1 << i) * bits[i]; }
    }
    ownerWei <== isSettle * owner96;
    treasuryWei <== isSettle * treasury96;
    signal voidCount <== isSettle * voids8;
    newCap <== isGenesis * cap16;
    component terms = HashTaggedVar(6);
    terms.tag <== 12 + isGenesis;
    terms.in[0] <== bId + (1 << 24) * voidCount;
    terms.in[1] <== sealed + isGenesis * (staticsHash - sealed);
    terms.in[2] <== ownerWei + newCap;
    terms.in[3] <== treasuryWei;
    // Before its genesis a model's accrued root is its slot root.
    terms.in[4] <== accruedRoot;
    terms.in[5] <== newAccruedRoot;
    (isSettle + isGenesis) * (word0 - terms.out) === 0;
    component voidless = IsZero();
    voidless.in <== voidCount;
    noVoids <== voidless.out;

    // E. Claim.
    component claim = SlotClaim();
    claim.isClaim <== isClaim;
    claim.aId <== aId;
    claim.word <== word0;
    claim.split <== statics[4];
    claim.accruedRoot <== accruedRoot;
    claim.claimedRoot <== claimedRoot;
    claim.bits <== bits;
    claim.claimedWei <== claimedWei;
    claim.accruedChildren <== accruedChildren;
    claim.claimedChildren <== claimedChildren;
    gainWei <== claim.gainWei;

    // F. The new body. A Seal finds sealed = 0, a Settle leaves it so.
    component made = HashTagged(5, 9);
    made.in[0] <== staticsHash;
    made.in[1] <== newlySealed + (1 - isSettle) * sealed;
    made.in[2] <== accruedRoot + isSettle * (newAccruedRoot - accruedRoot);
    made.in[3] <== claim.newClaimedRoot;
    made.in[4] <== epochStart + (isSeal + isGenesis) * (timestamp - epochStart);
    newBody <== made.out;
}
