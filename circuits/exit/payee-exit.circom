pragma circom 2.1.6;

include "../settlement/default-earned.circom";
include "./exit-statement.circom";
include "../ledger/path-read.circom";
include "../settlement/payees.circom";
include "../settlement/shards/shard-lists.circom";
include "../batch/claim-rewards.circom";
include "../batch/slot-parts.circom";

// What a role of one payee of a model owns in a frozen ledger, and who gets it (docs/reference/exits.md). Rules: payeeExit in
// payee-exit.ts.
//
// Parameters:  depth of the ledger's tree, at most 8: an id has 3 · depth bits; payees ≤ 512, at least the M_s of the payee's shard.
// Public:      commitment (C), y; z.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     L1 compares E's root with its own and gives the recipient 160 bits. The ledger has kept to its rules: an
//              activation has shown the ready model's payee table, N and ownerParts, and has set epochStart, which is never 0 again; accrued leaves are contributor 24 |
//              validator 24 | wei 120, claimed ones the contributor's 120 | the validator's 120; open and closed amounts have 96 bits.
// Ensures:     E = (root, modelId | payeeIndex << 24 | role << 36 | 1 << 37, recipient, amountWei). The model is ready;
//              recipient is the l1Owner of the payee's contributor (role 0) or validator (1) under the same root; amountWei is
//              the role's part of (accrued + the payee's part of the open and of the closed amount by the default split)
//              less what the role has claimed.
// Constraints: constraint-counts.json, "PayeeExit(…)".
//
// Phases: A key, B payee table, C statics and closed epoch, D payee, E model, F amount, G recipient, H elements.
template PayeeExit(depth, payees) {
    signal input z;
    signal input modelBits[3 * depth];
    signal input payeeBits[12]; // its place in its shard 9, the shard 3
    signal input role;
    // The model's leaf behind its tag.
    signal input nonce;
    signal input l1Owner;
    signal input keyX;
    signal input balance;
    signal input chain;
    signal input openAmount;
    signal input counters;
    signal input modelChildren[depth][8];
    // The body's opening. Of the binding N is known, and nothing else is asked.
    signal input featuresCommitment;
    signal input payeeRoot;
    signal input binding;
    signal input ownerParts;
    signal input validatorParts;
    signal input epochStart;
    // The closed epoch's opening: chain, epoch | closingBatch << 24, amount; all 0 where there is none.
    signal input isClosed;
    signal input closedChain;
    signal input closedAt;
    signal input closedWei;
    // The shards: ShardOwners. The payees of the payee's: Payees.
    signal input shardPresent[8];
    signal input shardRows[8];
    signal input shardOwners[8];
    signal input present[payees];
    signal input rowCounts[payees];
    // The payee: the ids of the role's leaf and of the other role's, what it has accrued, what each role has claimed.
    signal input ownerBits[3 * depth];
    signal input otherId;
    signal input accruedWei;
    signal input accruedChildren[4][8];
    signal input claimedWei;
    signal input otherClaimedWei;
    signal input claimedChildren[4][8];
    // The role's leaf, as LeafHead takes it.
    signal input owner[6];
    signal input ownerChildren[depth][8];

    signal output commitment;
    signal output y;

    // A. The key. All bits are boolean, so no payee's role has two keys.
    var modelId = 0;
    var payeeIndex = 0;
    var ownerId = 0;
    for (var i = 0; i < 3 * depth; i++) {
        modelBits[i] * (1 - modelBits[i]) === 0;
        ownerBits[i] * (1 - ownerBits[i]) === 0;
        modelId += (1 << i) * modelBits[i];
        ownerId += (1 << i) * ownerBits[i];
    }
    for (var i = 0; i < 12; i++) {
        payeeBits[i] * (1 - payeeBits[i]) === 0;
        payeeIndex += (1 << i) * payeeBits[i];
    }
    role * (1 - role) === 0;

    // B. The payee table of the payee's shard, which the statics' list names at the shard's place. An absent shard's entry is 0,
    //    and no table has that commitment.
    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component owned = ShardOwners(8);
    owned.present <== shardPresent;
    owned.rowTotals <== shardRows;
    owned.owners <== shardOwners;
    component own = Pick(8, 3);
    own.values <== shardOwners;
    for (var i = 0; i < 3; i++) { own.bits[i] <== payeeBits[9 + i]; }
    own.out === table.ownersCommitment;
    // N, as the activation has shown it of the same commitment: a list binds the rows of each shard, one shard's table is its own.
    (1 - owned.isSharded) * (owned.rowTotal - table.rowTotal) === 0;

    // C. Statics and closed epoch. The body's place is 0 where nothing is closed, and only there: nobody knows an opening
    //    whose hash is 0.
    component ownerRange = RangeCheck(16);
    ownerRange.in <== ownerParts;
    component validatorRange = RangeCheck(16);
    validatorRange.in <== validatorParts;
    component statics = HashTagged(5, 10);
    statics.in[0] <== featuresCommitment;
    statics.in[1] <== owned.ownersCommitment;
    statics.in[2] <== payeeRoot;
    statics.in[3] <== binding;
    statics.in[4] <== ownerParts + (1 << 16) * validatorParts;

    isClosed * (1 - isClosed) === 0;
    (1 - isClosed) * closedWei === 0;
    component closing = HashTagged(4, 11);
    closing.in[0] <== closedChain;
    closing.in[1] <== statics.out;
    closing.in[2] <== closedAt;
    closing.in[3] <== closedWei;
    signal closed <== isClosed * closing.out;

    // D. The payee: its accrued leaf with the ids in their places, each of 24 bits, and 120 bits of wei: its one opening.
    //    In the claimed leaf each role's part has 120 bits.
    component otherRange = RangeCheck(24);
    otherRange.in <== otherId;
    component accruedRange = RangeCheck(120);
    accruedRange.in <== accruedWei;
    component claimedRange = RangeCheck(120);
    claimedRange.in <== claimedWei;
    component otherClaimedRange = RangeCheck(120);
    otherClaimedRange.in <== otherClaimedWei;
    component accrued = PathRead8(4, TAG_PAYEE_NODE());
    accrued.leaf <== ownerId + (1 << 24) * otherId + (1 << 48) * accruedWei + role * ((1 << 24) - 1) * (ownerId - otherId);
    accrued.children <== accruedChildren;
    component claimed = PathRead8(4, TAG_PAYEE_NODE());
    claimed.leaf <== claimedWei + (1 << 120) * otherClaimedWei + role * ((1 << 120) - 1) * (claimedWei - otherClaimedWei);
    claimed.children <== claimedChildren;
    accrued.idBits <== payeeBits;
    claimed.idBits <== payeeBits;

    // E. The model. Under a constant tag the hash binds every field. It is ready: before its activation its epochStart is 0. A hint,
    //    since an inverse is not quadratic; no other value satisfies the line.
    signal startInverse <-- epochStart == 0 ? 0 : 1 / epochStart;
    epochStart * startInverse === 1;
    component body = HashTagged(5, 9);
    body.in[0] <== statics.out;
    body.in[1] <== closed;
    body.in[2] <== accrued.root;
    body.in[3] <== claimed.root;
    body.in[4] <== epochStart;
    component rest = LeafRest();
    rest.in[0] <== chain;
    rest.in[1] <== openAmount;
    rest.in[2] <== counters;
    rest.in[3] <== body.out;
    component model = HashTagged(5, TAG_MODEL());
    model.in[0] <== nonce;
    model.in[1] <== l1Owner;
    model.in[2] <== keyX;
    model.in[3] <== balance;
    model.in[4] <== rest.out;
    component modelPath = PathRead8(depth, TAG_NODE());
    modelPath.idBits <== modelBits;
    modelPath.leaf <== model.out;
    modelPath.children <== modelChildren;

    // F. The amount. Its summands are bounded one by one: accrued 120 (D), each default part 96, validatorParts 16 bits
    //    (C), the remainder 16, the amount 96; claimed ones by the ledger. The payee's row count by a tree of choices over the index's bits; behind the circuit's slots it is 0.
    //    A payee of the table has rows, by the activation's PayeeTable. One behind its last has none, and no exit.
    component rows = Pick(payees, 9);
    rows.values <== rowCounts;
    for (var i = 0; i < 9; i++) { rows.bits[i] <== payeeBits[i]; }
    signal rowsInverse <-- rows.out == 0 ? 0 : 1 / rows.out;
    rows.out * rowsInverse === 1;
    component open = DefaultEarned();
    open.amount <== openAmount;
    component waiting = DefaultEarned();
    waiting.amount <== closedWei;
    open.ownerParts <== ownerParts;
    waiting.ownerParts <== ownerParts;
    open.rowTotal <== owned.rowTotal;
    waiting.rowTotal <== owned.rowTotal;
    open.rowCount <== rows.out;
    waiting.rowCount <== rows.out;
    // validatorWei = (product − remainder) / 2^16 in the field, by the inverse of 2^16. It is the quotient rounded down:
    // the role's share = amountWei + claimedWei is below 2^122, validatorWei is that or the whole less that, so between
    // −2^122 and 2^122, and 2^16 validatorWei = product − remainder holds between integers below 2^139.
    var whole = accruedWei + open.earned + waiting.earned;
    signal product <== whole * validatorParts;
    signal remainder <-- product & 65535;
    component remainderRange = RangeCheck(16);
    remainderRange.in <== remainder;
    var validatorWei = (product - remainder) / (1 << 16);
    signal amountWei <== whole - validatorWei - claimedWei + role * (2 * validatorWei - whole);
    component amountRange = RangeCheck(96);
    amountRange.in <== amountWei;

    // G. The recipient: under the same root, and its tag is a kind's.
    component tag = LeafTag();
    tag.tag <== owner[0];
    tag.isEmpty <== 0;
    component ownerHash = LeafHead();
    ownerHash.in <== owner;
    component ownerPath = PathRead8(depth, TAG_NODE());
    ownerPath.idBits <== ownerBits;
    ownerPath.leaf <== ownerHash.out;
    ownerPath.children <== ownerChildren;
    ownerPath.root === modelPath.root;

    // H. Elements.
    component statement = ExitStatement();
    statement.z <== z;
    statement.root <== modelPath.root;
    statement.key <== modelId + (1 << 24) * payeeIndex + (1 << 36) * role + (1 << 37);
    statement.recipient <== owner[2];
    statement.amountWei <== amountWei;
    commitment <== statement.commitment;
    y <== statement.y;
}

// One of up to 2^bitCount values, 0 behind the last.
//
// Parameters:  count 1 … 2^bitCount. Inputs: values[count]; bits[bitCount], lowest first. Outputs: out.
// Assumes:     bits are boolean. Ensures: out = values[index], or 0 where index ≥ count.
// Constraints: ceil(count / 2) + ceil(count / 4) + … + ceil(count / 2^bitCount), and none linear.
template Pick(count, bitCount) {
    signal input values[count];
    signal input bits[bitCount];
    signal output out;

    var places = 1 << bitCount;
    signal pick[bitCount][places \ 2]; // pick[i][n] behind the level's last is unused
    var level[places];
    for (var n = 0; n < places; n++) { if (n < count) { level[n] = values[n]; } else { level[n] = 0; } }
    var width = count;
    for (var i = 0; i < bitCount; i++) {
        var half = (width + 1) \ 2;
        for (var n = 0; n < places \ 2; n++) {
            if (n < half) {
                pick[i][n] <== level[2 * n] + bits[i] * (level[2 * n + 1] - level[2 * n]);
                level[n] = pick[i][n];
            } else {
                pick[i][n] <== 0;
                level[n] = 0;
            }
        }
        for (var n = places \ 2; n < places; n++) { level[n] = 0; }
        width = half;
    }
    out <== level[0];
}
