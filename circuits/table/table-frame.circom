pragma circom 2.1.6;

include "../field/data-commitment.circom";
include "../ledger/merkle8.circom";
include "../batch/slot-parts.circom";
include "./row-groups.circom";

// What a batch states beside its slots, rows, units and tree: header, order of slots and units, the one equation, fee leaf,
// elements, C and y. Both sections of the table are what L1 sees as narrow slots (docs/reference/ledger.md, "Batch data").
//
// Parameters:  depth 1 … 8; transfers, members: slots of the two sections, together even; wide ≥ 0: wide slots; rows, units ≥ 1;
//              low, top ≥ 1 with low + top ≤ depth: levels below and in the tree's top; isBlob: 1 where cores and payloads of
//              the table's slots stand in a blob. Then they are no elements of y (blob-evaluation.circom has them), else 0.
// Inputs:      z; header fields; blinding: any number, random where a proof is to be blinded by it; the fee leaf and its path; gamma, power, midRoot, treeSum, treeTouched: TableTree's; of every
//              slot, row and unit what it puts out; payloads and words; lastRoot, lastNextId: the last wide slot's.
// Outputs:     commitment (C), y.
// Assumes:     the parts' assumptions on each other; flags boolean; fees below 2^70 and ids below 2^25.
// Ensures:     all terms cancel: with C before z, this is what docs/explanation/leaf-table.md proves from. Nulls are a suffix of each
//              section; used units have rising ids and come first; the fee leaf gets exactly the fees; header fields have
//              their widths; y is the value at z of the elements that L1 evaluates, each of which is bound by C.
// Constraints: partConstraints in table-counts.ts.
//
// Phases: A header, B chains of rows, C order, D the equation, E fee leaf, F C, G y, H blinding.
template TableFrame(depth, transfers, members, wide, rows, units, low, top, isBlob) {
    assert(depth >= 1 && depth <= 8 && low >= 1 && top >= 1 && low + top <= depth);
    // 12 bits count how often a leaf is asked for and number the slots, 11 the gaps; two cores share an element.
    assert((transfers + members) % 2 == 0 && transfers + members + wide < (1 << 12) && members < (1 << 11) && rows >= 1 && units >= 1);
    assert(isBlob == 0 || isBlob == 1);
    // Slots whose cores and payloads L1 evaluates.
    var postedTransfers = (1 - isBlob) * transfers;
    var postedMembers = (1 - isBlob) * members;
    var chunks = (8 ** top + 251) \ 252;
    signal input z;
    signal input domain;
    signal input oldRoot;
    signal input batchNumber;
    signal input timestamp;
    signal input firstOpIndex;
    signal input oldNextId;
    signal input feePerUnit;
    signal input idFee;
    signal input blinding;
    signal input feeIdBits[3 * depth];
    signal input feeLeaf[6];
    signal input feeChildren[depth][8];
    signal input gamma;
    signal input power[9];
    signal input midRoot;
    signal input treeSum;
    signal input treeTouched[chunks];

    signal input transferCore[postedTransfers];
    signal input transferChallenge[transfers];
    signal input transferFeeWei[transfers];
    signal input transferUsed[transfers];
    signal input transferSum[transfers];
    signal input memberPayload[postedMembers];
    signal input memberCore[postedMembers];
    signal input memberChallenge[members];
    signal input memberFeeWei[members];
    signal input memberUsed[members];
    signal input memberNewChain[members];
    signal input memberPacked[members];
    signal input memberSum[members];
    signal input rowSub[rows];
    signal input rowOldSub[rows];
    signal input rowNewSub[rows];
    signal input rowFirst[rows];
    signal input rowPacked[rows];
    signal input rowSum[rows];
    signal input unitId[units];
    signal input unitIsUsed[units];
    signal input unitPacked[units];
    signal input unitRef[units];
    signal input unitRest[units];
    signal input unitNewRest[units];
    signal input unitSum[units];
    signal input wideWords[wide][7];
    signal input wideCore[wide];
    signal input wideHasWord[wide][7];
    signal input wideIsUsed[wide];
    signal input wideIsSigned[wide];
    signal input wideFeeWei[wide];
    signal input lastRoot;
    signal input lastNextId;

    signal output commitment;
    signal output y;

    // A. Header. Every packed field is range-checked, so the packing is injective.
    component ranges[5];
    var widths[5] = [40, 40, 40, 25, 64];
    for (var i = 0; i < 5; i++) { ranges[i] = RangeCheck(widths[i]); }
    ranges[0].in <== batchNumber;
    ranges[1].in <== timestamp;
    ranges[2].in <== firstOpIndex;
    ranges[3].in <== oldNextId;
    ranges[4].in <== feePerUnit;
    component idFeeRange = RangeCheck(96);
    idFeeRange.in <== idFee;

    // B. Chains of rows.
    component groups = RowGroups(rows);
    groups.gamma <== gamma;
    groups.power <== power;
    groups.sub <== rowSub;
    groups.oldSub <== rowOldSub;
    groups.newSub <== rowNewSub;
    groups.isFirst <== rowFirst;

    // C. Order, and sums of the slots.
    var fees = 0;
    var signedSum = 0;
    var payloadSum = 0;
    for (var i = 0; i < transfers; i++) {
        fees += transferFeeWei[i];
        signedSum += transferUsed[i];
        if (i > 0) { transferUsed[i] * (1 - transferUsed[i - 1]) === 0; }
    }
    for (var i = 0; i < members; i++) {
        fees += memberFeeWei[i];
        signedSum += memberUsed[i];
        payloadSum += (1 - isBlob) * memberUsed[i];
        if (i > 0) { memberUsed[i] * (1 - memberUsed[i - 1]) === 0; }
    }
    for (var i = 0; i < wide; i++) {
        fees += wideFeeWei[i];
        signedSum += wideIsSigned[i];
        if (i > 0) { wideIsUsed[i] * (1 - wideIsUsed[i - 1]) === 0; }
    }
    component rising[units];
    signal step[units];
    for (var i = 1; i < units; i++) {
        unitIsUsed[i] * (1 - unitIsUsed[i - 1]) === 0;
        step[i] <== unitIsUsed[i] * (unitId[i] - unitId[i - 1] - 1);
        rising[i] = RangeCheck(24);
        rising[i].in <== step[i];
    }

    // D. The equation.
    var all = treeSum + groups.sum;
    for (var i = 0; i < transfers; i++) { all += transferSum[i]; }
    for (var i = 0; i < members; i++) { all += memberSum[i]; }
    for (var i = 0; i < rows; i++) { all += rowSum[i]; }
    for (var i = 0; i < units; i++) { all += unitSum[i]; }
    all === 0;

    // E. Fee leaf, after all slots: as A or B of a slot it has no rule of its own. It exists, since no fields hash to 0
    //    under a leaf's tag.
    var feeIdSum = 0;
    for (var i = 0; i < 3 * depth; i++) {
        feeIdBits[i] * (1 - feeIdBits[i]) === 0;
        feeIdSum += (1 << i) * feeIdBits[i];
    }
    signal newFeeBalance <== feeLeaf[4] + fees;
    component feeRange = RangeCheck(96);
    feeRange.in <== newFeeBalance;
    component feeTag = LeafTag();
    feeTag.tag <== feeLeaf[0];
    feeTag.isEmpty <== 0;
    component feeHash[2];
    feeHash[0] = LeafHead();
    feeHash[1] = LeafHead();
    for (var i = 0; i < 6; i++) {
        feeHash[0].in[i] <== feeLeaf[i];
        if (i == 4) { feeHash[1].in[i] <== newFeeBalance; } else { feeHash[1].in[i] <== feeLeaf[i]; }
    }
    component feePath = PathUpdate8(depth);
    feePath.oldRoot <== lastRoot;
    feePath.oldLeaf <== feeHash[0].out;
    feePath.newLeaf <== feeHash[1].out;
    feePath.idBits <== feeIdBits;
    feePath.children <== feeChildren;

    // F. C. It absorbs what fixes all that the equation's terms, and the elements of y, are made of. A used slot's core
    //    and payload are in its message, which its challenge fixes; a null slot's are 0. midRoot is absorbed because wide
    //    slots may change keys, so that neither the old nor the new root fixes the root between. Small fields share
    //    elements; each has its width where it is made: members' 75 bits, rows' 38.
    var header[5] = [
        domain,
        oldRoot,
        feePath.newRoot,
        batchNumber + (1 << 40) * timestamp + (1 << 80) * firstOpIndex + (1 << 120) * oldNextId + (1 << 145) * lastNextId + (1 << 170) * feeIdSum + (1 << 194) * signedSum + (1 << 210) * payloadSum,
        feePerUnit + (1 << 64) * idFee
    ];
    var absorbed = 5 + 8 * wide + 1 + chunks + transfers + 2 * members + (members + 2) \ 3 + 2 * rows + (rows + 5) \ 6 + 4 * units;
    component data = DataCommitment(absorbed);
    for (var i = 0; i < 5; i++) { data.in[i] <== header[i]; }
    var at = 5;
    for (var i = 0; i < wide; i++) { data.in[at] <== wideCore[i]; at++; }
    for (var i = 0; i < wide; i++) {
        for (var j = 0; j < 7; j++) { data.in[at] <== wideWords[i][j]; at++; }
    }
    data.in[at] <== midRoot;
    at++;
    for (var c = 0; c < chunks; c++) { data.in[at] <== treeTouched[c]; at++; }
    for (var i = 0; i < transfers; i++) { data.in[at] <== transferChallenge[i]; at++; }
    for (var i = 0; i < members; i++) {
        data.in[at] <== memberChallenge[i];
        data.in[at + 1] <== memberNewChain[i];
        at += 2;
    }
    for (var i = 0; i < members; i += 3) {
        var packed = 0;
        for (var j = 0; j < 3 && i + j < members; j++) { packed += (1 << (75 * j)) * memberPacked[i + j]; }
        data.in[at] <== packed;
        at++;
    }
    for (var i = 0; i < rows; i++) {
        data.in[at] <== rowOldSub[i];
        data.in[at + 1] <== rowNewSub[i];
        at += 2;
    }
    for (var i = 0; i < rows; i += 6) {
        var packed = 0;
        for (var j = 0; j < 6 && i + j < rows; j++) { packed += (1 << (38 * j)) * rowPacked[i + j]; }
        data.in[at] <== packed;
        at++;
    }
    for (var i = 0; i < units; i++) {
        data.in[at] <== unitPacked[i];
        data.in[at + 1] <== unitRef[i];
        data.in[at + 2] <== unitRest[i];
        data.in[at + 3] <== unitNewRest[i];
        at += 4;
    }
    commitment <== data.out;

    // G. y by Horner over the elements that L1 evaluates: header, pairs of cores, wide cores, payloads, words. An absent
    //    place neither adds (its element is 0) nor shifts. Presence comes from kinds, which C fixes: a free flag would let a
    //    prover move elements after z is known.
    var half = (postedTransfers + postedMembers) \ 2;
    var fixedCount = 5 + half + wide;
    var total = fixedCount + postedMembers + 7 * wide;
    signal shifted[postedMembers + 7 * wide];
    signal horner[total + 1];
    horner[total] <== 0;
    for (var i = total - 1; i >= 0; i--) {
        if (i >= fixedCount) {
            var k = i - fixedCount;
            shifted[k] <== horner[i + 1] * z;
            if (k < postedMembers) {
                horner[i] <== horner[i + 1] + memberUsed[k] * (shifted[k] - horner[i + 1]) + memberPayload[k];
            } else {
                horner[i] <== horner[i + 1] + wideHasWord[(k - postedMembers) \ 7][(k - postedMembers) % 7] * (shifted[k] - horner[i + 1]) + wideWords[(k - postedMembers) \ 7][(k - postedMembers) % 7];
            }
        } else {
            var element = 0;
            if (i < 5) {
                element = header[i];
            } else if (i < 5 + half) {
                for (var j = 0; j < 2; j++) {
                    var k = 2 * (i - 5) + j;
                    if (k < transfers) { element += (1 << (92 * j)) * transferCore[k]; } else { element += (1 << (92 * j)) * memberCore[k - transfers]; }
                }
            } else {
                element = wideCore[i - 5 - half];
            }
            horner[i] <== horner[i + 1] * z + element;
        }
    }
    y <== horner[0];

    // H. A row that asks nothing: whatever blinding is, blinded has one value, and nothing else reads either. In the proof's A
    //    stands blinding times a point of its own. So a random one makes A uniform, and no prover has to blind A itself,
    //    which costs the sum of B in G1 (docs/explanation/prover.md).
    signal blinded <== blinding * z;
}
