pragma circom 2.1.6;

include "../batch/wide/slot-places.circom";
include "../blob/blob-evaluation.circom";
include "./slots/transfer-slot.circom";
include "./slots/member-slot.circom";
include "./leaf-row.circom";
include "./slots/member-unit.circom";
include "./table-tree.circom";
include "./table-frame.circom";

// A batch of the ledger. The statement: "C commits to a data vector that describes a correct transition, and the vector's
// polynomial has the value y at z" (docs/reference/ledger.md, "Batch data" and "At once"). Frequent operations share a leaf table: each
// distinct leaf is opened and closed once. Rules: batch.ts, table-builder.ts, table-terms.ts.
//
// Parameters:  as TableFrame; approvalDelay in seconds.
// Public:      commitment (C), y; z; with a blob also blobHalves, 128 bits each: the blob's value at z.
// Inputs:      header; arrays over slots, rows, units and wide slots of what the parts take.
// Ensures:     docs/explanation/leaf-table.md, "The theorem".
// Constraints: tableConstraints in table-counts.ts; every line is an equality of two signals, so
//              table-composition.ts puts the same constraints together from compiled parts.
template TableBatch(depth, transfers, members, wide, rows, units, low, top, approvalDelay, isBlob) {
    var subtrees = 8 ** top;
    var spine = depth - low - top;
    var window = low + top;
    var reductions = isBlob == 1 ? REDUCTIONS((transfers + members) \ 2 + members) : 0;
    signal input z;
    signal input blobHalves[2 * isBlob];
    signal input blobQuotient[reductions][3];
    signal input blobRemainder[reductions][3];
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
    signal input old[subtrees];
    signal input now[subtrees];
    signal input touched[subtrees];
    signal input spineChildren[spine][7];

    signal input transferUsed[transfers];
    signal input transferABits[transfers][3 * window];
    signal input transferBBits[transfers][3 * window];
    signal input transferAmountBits[transfers][40];
    signal input transferNextBits[transfers][40];
    signal input transferSlackBits[transfers][64];
    signal input transferBRef[transfers];
    signal input transferSignature[transfers][4];

    signal input memberPayload[members];
    signal input memberUsed[members];
    signal input memberIsPay[members];
    signal input memberABits[members][3 * window];
    signal input memberBBits[members][3 * window];
    signal input memberAmountBits[members][40];
    signal input memberNextBits[members][40];
    signal input memberSlackBits[members][64];
    signal input memberBRef[members];
    signal input memberSignature[members][4];
    signal input memberChain[members];
    signal input memberOpen[members];
    signal input memberSurplusBits[members][64];
    signal input memberGapBits[members][11];

    signal input rowIdBits[rows][3 * window];
    signal input rowFirst[rows];
    signal input rowIsMember[rows];
    signal input rowAskedBits[rows][12];
    signal input rowLeaf[rows][6];
    signal input rowNewNonce[rows];
    signal input rowNewBalance[rows];
    signal input rowNewRest[rows];
    signal input rowChildren[rows][low][8];

    signal input unitIdBits[units][24];
    signal input unitIsUsed[units];
    signal input unitIsModel[units];
    signal input unitAskedBits[units][12];
    signal input unitLastBits[units][12];
    signal input unitRef[units];
    signal input unitState[units][7];
    signal input unitReadyBit[units];
    signal input unitApprovedBit[units];
    signal input unitCapBits[units][16];
    signal input unitCountBits[units][16];
    signal input unitEpochBits[units][24];
    signal input unitPriceBits[units][96];

    signal input wideFlags[wide][WIDE_KIND_COUNT()];
    signal input wideABits[wide][3 * depth];
    signal input wideBBits[wide][3 * depth];
    signal input wideAmountBits[wide][40];
    signal input wideWords[wide][7];
    signal input wideIsMissing[wide][2];
    signal input wideA[wide][9];
    signal input wideB[wide][9];
    signal input wideChildrenA[wide][depth][8];
    signal input wideChildrenB[wide][depth][8];
    signal input wideRest[wide][16];
    signal input wideDatanet[wide][7];
    signal input wideModel[wide][14];
    signal input wideAccruedChildren[wide][4][8];
    signal input wideClaimedChildren[wide][4][8];
    signal input wideScratchBits[wide][445];

    signal output commitment;
    signal output y;

    component frame = TableFrame(depth, transfers, members, wide, rows, units, low, top, isBlob);
    component tree = TableTree(members, top, spine);
    tree.z <== z;
    tree.oldRoot <== oldRoot;
    tree.old <== old;
    tree.now <== now;
    tree.touched <== touched;
    tree.spineChildren <== spineChildren;
    frame.gamma <== tree.gamma;
    frame.power <== tree.power;
    frame.midRoot <== tree.midRoot;
    frame.treeSum <== tree.sum;
    frame.treeTouched <== tree.touchedWords;

    component t[transfers];
    for (var i = 0; i < transfers; i++) {
        t[i] = TransferSlot(window);
        t[i].domain <== domain;
        t[i].feePerUnit <== feePerUnit;
        t[i].gamma <== tree.gamma;
        t[i].power <== tree.power;
        t[i].used <== transferUsed[i];
        t[i].aBits <== transferABits[i];
        t[i].bBits <== transferBBits[i];
        t[i].amountBits <== transferAmountBits[i];
        t[i].nextBits <== transferNextBits[i];
        t[i].slackBits <== transferSlackBits[i];
        t[i].bRef <== transferBRef[i];
        t[i].signature <== transferSignature[i];
        if (isBlob == 0) { frame.transferCore[i] <== t[i].core; }
        frame.transferChallenge[i] <== t[i].challenge;
        frame.transferFeeWei[i] <== t[i].feeWei;
        frame.transferUsed[i] <== transferUsed[i];
        frame.transferSum[i] <== t[i].sum;
    }
    component m[members];
    for (var i = 0; i < members; i++) {
        m[i] = MemberSlot(window);
        m[i].domain <== domain;
        m[i].feePerUnit <== feePerUnit;
        m[i].gamma <== tree.gamma;
        m[i].power <== tree.power;
        m[i].timePoint <== tree.timePoint[i];
        m[i].payload <== memberPayload[i];
        m[i].used <== memberUsed[i];
        m[i].isPay <== memberIsPay[i];
        m[i].aBits <== memberABits[i];
        m[i].bBits <== memberBBits[i];
        m[i].amountBits <== memberAmountBits[i];
        m[i].nextBits <== memberNextBits[i];
        m[i].slackBits <== memberSlackBits[i];
        m[i].bRef <== memberBRef[i];
        m[i].signature <== memberSignature[i];
        m[i].chain <== memberChain[i];
        m[i].open <== memberOpen[i];
        m[i].surplusBits <== memberSurplusBits[i];
        m[i].gapBits <== memberGapBits[i];
        if (isBlob == 0) {
            frame.memberPayload[i] <== memberPayload[i];
            frame.memberCore[i] <== m[i].core;
        }
        frame.memberChallenge[i] <== m[i].challenge;
        frame.memberFeeWei[i] <== m[i].feeWei;
        frame.memberUsed[i] <== memberUsed[i];
        frame.memberNewChain[i] <== m[i].newChain;
        frame.memberPacked[i] <== m[i].packed;
        frame.memberSum[i] <== m[i].sum;
    }
    component blob[isBlob];
    if (isBlob == 1) {
        blob[0] = BlobEvaluation(transfers, members);
        blob[0].z <== z;
        for (var i = 0; i < transfers; i++) { blob[0].transferCore[i] <== t[i].core; }
        for (var i = 0; i < members; i++) { blob[0].memberCore[i] <== m[i].core; }
        blob[0].memberPayload <== memberPayload;
        blob[0].halves <== blobHalves;
        blob[0].quotient <== blobQuotient;
        blob[0].remainder <== blobRemainder;
    }
    component r[rows];
    for (var i = 0; i < rows; i++) {
        r[i] = LeafRow(low, window);
        r[i].gamma <== tree.gamma;
        r[i].power <== tree.power;
        r[i].idBits <== rowIdBits[i];
        r[i].first <== rowFirst[i];
        r[i].isMember <== rowIsMember[i];
        r[i].askedBits <== rowAskedBits[i];
        r[i].leaf <== rowLeaf[i];
        r[i].newNonce <== rowNewNonce[i];
        r[i].newBalance <== rowNewBalance[i];
        r[i].newRest <== rowNewRest[i];
        r[i].children <== rowChildren[i];
        frame.rowSub[i] <== r[i].sub;
        frame.rowOldSub[i] <== r[i].oldSub;
        frame.rowNewSub[i] <== r[i].newSub;
        frame.rowFirst[i] <== rowFirst[i];
        frame.rowPacked[i] <== r[i].packed;
        frame.rowSum[i] <== r[i].sum;
    }
    component u[units];
    for (var i = 0; i < units; i++) {
        u[i] = MemberUnit();
        u[i].gamma <== tree.gamma;
        u[i].power <== tree.power;
        u[i].idBits <== unitIdBits[i];
        u[i].isUsed <== unitIsUsed[i];
        u[i].isModel <== unitIsModel[i];
        u[i].askedBits <== unitAskedBits[i];
        u[i].lastBits <== unitLastBits[i];
        u[i].ref <== unitRef[i];
        u[i].state <== unitState[i];
        u[i].readyBit <== unitReadyBit[i];
        u[i].approvedBit <== unitApprovedBit[i];
        u[i].capBits <== unitCapBits[i];
        u[i].countBits <== unitCountBits[i];
        u[i].epochBits <== unitEpochBits[i];
        u[i].priceBits <== unitPriceBits[i];
        frame.unitId[i] <== u[i].id;
        frame.unitIsUsed[i] <== unitIsUsed[i];
        frame.unitPacked[i] <== u[i].packed;
        frame.unitRef[i] <== unitRef[i];
        frame.unitRest[i] <== u[i].rest;
        frame.unitNewRest[i] <== u[i].newRest;
        frame.unitSum[i] <== u[i].sum;
    }
    component w[wide];
    for (var i = 0; i < wide; i++) {
        w[i] = WidePlace(depth, approvalDelay);
        if (i == 0) {
            w[i].oldRoot <== tree.midRoot;
            w[i].nextId <== oldNextId;
        } else {
            w[i].oldRoot <== w[i - 1].newRoot;
            w[i].nextId <== w[i - 1].newNextId;
        }
        w[i].domain <== domain;
        w[i].timestamp <== timestamp;
        w[i].batchNumber <== batchNumber;
        w[i].feePerUnit <== feePerUnit;
        w[i].idFee <== idFee;
        w[i].words <== wideWords[i];
        w[i].flags <== wideFlags[i];
        w[i].aBits <== wideABits[i];
        w[i].bBits <== wideBBits[i];
        w[i].amountBits <== wideAmountBits[i];
        w[i].isMissing <== wideIsMissing[i];
        w[i].a <== wideA[i];
        w[i].b <== wideB[i];
        w[i].childrenA <== wideChildrenA[i];
        w[i].childrenB <== wideChildrenB[i];
        w[i].rest <== wideRest[i];
        w[i].datanet <== wideDatanet[i];
        w[i].model <== wideModel[i];
        w[i].accruedChildren <== wideAccruedChildren[i];
        w[i].claimedChildren <== wideClaimedChildren[i];
        w[i].scratchBits <== wideScratchBits[i];
        frame.wideWords[i] <== wideWords[i];
        frame.wideCore[i] <== w[i].core;
        frame.wideHasWord[i] <== w[i].hasWord;
        frame.wideIsUsed[i] <== w[i].isUsed;
        frame.wideIsSigned[i] <== w[i].isSigned;
        frame.wideFeeWei[i] <== w[i].feeWei;
    }

    frame.z <== z;
    frame.domain <== domain;
    frame.oldRoot <== oldRoot;
    frame.batchNumber <== batchNumber;
    frame.timestamp <== timestamp;
    frame.firstOpIndex <== firstOpIndex;
    frame.oldNextId <== oldNextId;
    frame.feePerUnit <== feePerUnit;
    frame.idFee <== idFee;
    frame.blinding <== blinding;
    frame.feeIdBits <== feeIdBits;
    frame.feeLeaf <== feeLeaf;
    frame.feeChildren <== feeChildren;
    if (wide == 0) {
        frame.lastRoot <== tree.midRoot;
        frame.lastNextId <== oldNextId;
    } else {
        frame.lastRoot <== w[wide - 1].newRoot;
        frame.lastNextId <== w[wide - 1].newNextId;
    }
    commitment <== frame.commitment;
    y <== frame.y;
}
