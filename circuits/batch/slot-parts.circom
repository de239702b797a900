pragma circom 2.1.6;

include "./wide/places.circom";
include "../field/curve/eddsa.circom";
include "../field/poseidon.circom";
include "../field/range-check.circom";

// Parts of wide slots, some of which the table has, too. The model of all of them is slot.ts.
// Where a leaf is an array it is [tag, nonce, l1Owner, keyX, balance, chain, openAmount, counters, body],
// tag = 256 + kind.

function LEAF_FIELDS() { return 9; }
function TAG_ACCOUNT() { return 257; }
function TAG_DATANET() { return 258; }
function TAG_MODEL() { return 259; }
// The x-coordinate of the public dummy key; dummy-signature.ts.
function DUMMY_KEY_X() { return 2159606235728882396862313780479136121712896134668019199711945289329531920290; }

// The tag of an opened leaf is that of a kind. Poseidon's permutation can be inverted: were the tag the prover's choice,
// any hash would have other openings (slot-parts.test.ts finds one). Among three tags the hash binds all that it hashes.
//
// Inputs:      tag; isEmpty: there is no leaf, and the caller holds tag = 0.
// Assumes:     isEmpty is boolean. Ensures: isEmpty = 0: tag is 257, 258 or 259. isEmpty = 1: tag = 0 has a witness.
// Constraints: 2.
template LeafTag() {
    signal input tag;
    signal input isEmpty;
    signal low <== (tag - TAG_ACCOUNT()) * (tag - TAG_DATANET());
    low * (tag - TAG_MODEL()) === -(TAG_ACCOUNT() * TAG_DATANET() * TAG_MODEL()) * isEmpty;
}

// What a leaf has besides who owns it and how much: in[4] is chain, openAmount, counters, body. An account's are 0.
//
// Inputs:      in[4]. Outputs: out = H[REST](in, 0): L1's tables have no hash of four. Assumes: nothing. Constraints: 321.
template LeafRest() {
    signal input in[4];
    signal output out;
    component hash = HashTagged(5, 24);
    for (var i = 0; i < 4; i++) { hash.in[i] <== in[i]; }
    hash.in[4] <== 0;
    out <== hash.out;
}

// Hash of a leaf whose rest is known by its hash. The kind is the hash's tag: no input and no bits for it.
//
// Inputs:      in[6]: tag, nonce, l1Owner, keyX, balance, rest. Outputs: out.
// Assumes:     in[0] is one of the three tags (LeafTag); under a free tag the hash binds nothing.
// Ensures:     out = H[in[0]](in[1] … in[5]).
// Constraints: 324.
template LeafHead() {
    signal input in[6];
    signal output out;
    component hash = HashTaggedVar(5);
    hash.tag <== in[0];
    for (var i = 0; i < 5; i++) { hash.in[i] <== in[i + 1]; }
    out <== hash.out;
}

// Hash of a leaf.
//
// Inputs:      leaf[9]. Outputs: out. Assumes: LeafHead's. Ensures: out is the leaf's hash. Constraints: 324 + 321 = 645.
template LeafHash() {
    signal input leaf[9];
    signal output out;
    component rest = LeafRest();
    for (var i = 0; i < 4; i++) { rest.in[i] <== leaf[i + 5]; }
    component head = LeafHead();
    for (var i = 0; i < 5; i++) { head.in[i] <== leaf[i]; }
    head.in[5] <== rest.out;
    out <== head.out;
}

// Wei of a 40-bit decimal float: mantissa bits[0..34], exponent bits[35..39].
//
// Inputs:      bits[40]. Outputs: wei < 2^138: 2^35 · 10^31.
// Assumes:     bits are boolean. Ensures: wei = mantissa · 10^exponent, below r.
// Constraints: 5.
template AmountFloat() {
    signal input bits[40];
    signal output wei;
    var mantissa = 0;
    for (var i = 0; i < 35; i++) { mantissa += (1 << i) * bits[i]; }
    // 10^e = Π (1 + b_i (10^(2^i) − 1)), two factors a constraint.
    signal low <== (1 + 9 * bits[35]) * (1 + 99 * bits[36]);
    signal mid <== (1 + 9999 * bits[37]) * (1 + 99999999 * bits[38]);
    signal scale <== low * mid;
    signal scaleAll <== scale * (1 + 9999999999999999 * bits[39]);
    wei <== scaleAll * mantissa;
}

// A's signature over the operation, or the public dummy key's over zeros, under the tag 0, where the slot is unsigned.
//
// Inputs:      isSigned; domain; core, bRef, w: the message's parts (docs/reference/ledger.md); keyX: A's, below r;
//              keyY, r8x, s: witness.
// Assumes:     isSigned is boolean; core and bRef are injective packings of range-checked fields.
// Ensures:     isSigned = 1: the key at keyX signed (core, bRef, w) under the tag domain.
//              keyX = 0 (no key) has no witness: SignatureCheck refuses x = 0.
// Constraints: 5 + SignatureCheck.
template Authorisation() {
    signal input isSigned;
    signal input domain;
    signal input core;
    signal input bRef;
    signal input w;
    signal input keyX;
    signal input keyY;
    signal input r8x;
    signal input s;

    // Unsigned slots all check one constant signature, so a witness for them always exists.
    component check = SignatureCheck();
    check.keyX <== DUMMY_KEY_X() + isSigned * (keyX - DUMMY_KEY_X());
    check.keyY <== keyY;
    check.R8x <== r8x;
    check.S <== s;
    check.tag <== isSigned * domain;
    check.parts[0] <== isSigned * core;
    check.parts[1] <== isSigned * bRef;
    check.parts[2] <== isSigned * w;
}

// What Transfer, CommitData and PayInference do to B beyond its balance.
//
// Inputs:      isCommit, isPay; opensModel: a rarer kind opens a model's counters, with isPay a forced payment; aId (24 bits); code: the 40-bit amount
//              field; amount: its wei, below 2^138; payload; tagB, chainB, openAmountB, countersB; ready, approved, cap,
//              paymentCount, epoch, price, approvalBits[6]: the opening of a model's counters, witness.
// Outputs:     chain, openAmount, counters: B's new values.
// Assumes:     the flags are boolean; of isCommit and the others at most one is 1; a forced payment's amount is known to be
//              at least the price of the opening; B's fields are bound by its leaf's hash, whose
//              counters were written by these rules: a datanet's are below 2^40, a model's below 2^176, and below 2^170 where
//              it is approved.
// Ensures:     CommitData: B is a datanet, the row count stays below 2^40. PayInference: B is a ready and approved
//              model, amount ≥ price, paymentCount + 1 ≤ cap. opensModel: B is a model and the opening is that of its
//              counters. Otherwise nothing changes.
// Constraints: 458.
template MemberEffects() {
    signal input isCommit;
    signal input isPay;
    signal input opensModel;
    signal input aId;
    signal input code;
    signal input amount;
    signal input payload;
    signal input tagB;
    signal input chainB;
    signal input openAmountB;
    signal input countersB;
    signal input ready;
    signal input approved;
    signal input cap;
    signal input paymentCount;
    signal input epoch;
    signal input price;
    signal input approvalBits[6];
    signal output chain;
    signal output openAmount;
    signal output counters;

    // A. Kinds. The caller checks that B's tag is a kind's (LeafTag), so that its hash binds it.
    isCommit * (tagB - TAG_DATANET()) === 0;
    (isPay + opensModel) * (tagB - TAG_MODEL()) === 0;

    // B. A model's counters. price may be any field element here: with X below 2^96 (step D) it is
    //    amount − X or X, so between −2^96 and 2^138, and the packed sum cannot wrap around r; the low fields are
    //    range-checked, so the opening is the one integer that the leaf holds. A paid model is approved, so it has no approvals.
    //    Attack: one that is shown would make room for a price that is 2^96 lower.
    var given = 0;
    var givenCount = 0;
    for (var i = 0; i < 6; i++) {
        approvalBits[i] * (1 - approvalBits[i]) === 0;
        given += (1 << i) * approvalBits[i];
        givenCount += approvalBits[i];
    }
    (isPay + opensModel) * (countersB - (ready + COUNTER_APPROVED() * approved + COUNTER_CAP() * cap + COUNTER_PAYMENT_COUNT() * paymentCount + COUNTER_EPOCH() * epoch + COUNTER_PRICE() * price + COUNTER_APPROVALS() * given)) === 0;
    isPay * givenCount === 0;
    ready * (1 - ready) === 0;
    approved * (1 - approved) === 0;
    isPay * (2 - ready - approved) === 0;
    component capRange = RangeCheck(16);
    capRange.in <== cap;
    // The count has 32 bits in the leaf; it never exceeds cap, so 16 suffice.
    component countRange = RangeCheck(16);
    countRange.in <== paymentCount;
    component epochRange = RangeCheck(24);
    epochRange.in <== epoch;
    component roomRange = RangeCheck(16);
    roomRange.in <== isPay * (cap - paymentCount - 1);

    // C. The open amount. amount < 2^138, openAmountB < 2^96; the caller checks the new value to be 96 bits.
    signal paid <== isPay * amount;
    openAmount <== openAmountB + paid;

    // D. One 96-bit check serves three rules, as at most one of them is active (of a forced payment the last):
    //    X = new row count · 2^56 (below 2^96 iff the count is below 2^40; it is below 2^41 as both terms have
    //    40 bits) | amount − price | price.
    signal rows <== isCommit * (countersB + code);
    component xRange = RangeCheck(96);
    signal shownPrice <== opensModel * price;
    signal isPriceAsked <== isPay * (1 - opensModel);
    signal surplus <== isPriceAsked * (amount - price);
    xRange.in <== (1 << 56) * rows + surplus + shownPrice;

    // E. Counters and chain. Commit: tag 6, the row count added; payment: tag 7, the new open amount. Both lie above A's
    //    24 bits and keep their widths (40; 96, checked by the caller), so the packing is injective.
    signal added <== isCommit * code;
    counters <== countersB + added + COUNTER_PAYMENT_COUNT() * isPay;
    component step = HashTaggedVar(3);
    step.tag <== 6 + isPay;
    step.in[0] <== chainB;
    step.in[1] <== payload;
    step.in[2] <== aId + (1 << 24) * (isPay * openAmount + added);
    chain <== chainB + (isCommit + isPay) * (step.out - chainB);
}
