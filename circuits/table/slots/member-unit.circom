pragma circom 2.1.6;

include "../../batch/wide/places.circom";
include "../../batch/slot-parts.circom";
include "../terms.circom";

// A datanet or model that the batch's second section uses: what commits and payments do to it, once a batch.
//
// Inputs:      gamma, power[9]. Witness: idBits; isUsed; isModel; askedBits: how many slots name it; lastBits: number of the
//              last one, 0 without any; ref: owner and kind; state: chain, newChain, open, newOpen, counters, newCounters, body;
//              opening of a model's new counters: readyBit, approvedBit, capBits, countBits, epochBits, priceBits.
// Outputs:     id; packed; rest, newRest: hashes of the state before and after; sum. The frame takes isUsed and ref, too.
// Assumes:     C absorbs packed, ref, rest and newRest, so that the state is fixed. The frame lets ids of used units only rise.
// Ensures:     isUsed = 1: a row with isMember = 1 has this id, kind and these fields, before and after; body stays. Terms: the chain's
//              state before slot 1 given, the last one taken; new - old counters; owner, kind and price given askedBits
//              times. A datanet's rows stay below 2^40; a model's payments at most its cap; open amounts below 2^96.
//              isUsed = 0: no terms, whatever the fields are.
// Attack:      a unit that is not used and yet has weights would count, and give references, for leaves that are not there.
// Constraints: constraint-counts.json, "MemberUnit()".
template MemberUnit() {
    signal input gamma;
    signal input power[9];
    signal input idBits[24];
    signal input isUsed;
    signal input isModel;
    signal input askedBits[12];
    signal input lastBits[12];
    signal input ref;
    signal input state[7];
    signal input readyBit;
    signal input approvedBit;
    signal input capBits[16];
    signal input countBits[16];
    signal input epochBits[24];
    signal input priceBits[96];
    signal output id;
    signal output packed;
    signal output rest;
    signal output newRest;
    signal output sum;

    var chain = state[0];
    var newChain = state[1];
    var open = state[2];
    var newOpen = state[3];
    var counters = state[4];
    var newCounters = state[5];

    // A. Booleans, packed injectively.
    var idSum = 0;
    for (var i = 0; i < 24; i++) {
        idBits[i] * (1 - idBits[i]) === 0;
        idSum += (1 << i) * idBits[i];
    }
    var asked = 0;
    var last = 0;
    for (var i = 0; i < 12; i++) {
        askedBits[i] * (1 - askedBits[i]) === 0;
        lastBits[i] * (1 - lastBits[i]) === 0;
        asked += (1 << i) * askedBits[i];
        last += (1 << i) * lastBits[i];
    }
    isUsed * (1 - isUsed) === 0;
    isModel * (1 - isModel) === 0;
    (1 - isUsed) * asked === 0;
    id <== idSum;
    packed <== idSum + (1 << 24) * isUsed + (1 << 25) * isModel + (1 << 26) * asked + (1 << 38) * last;

    // B. New counters. Every part has its width, so the opening is the one of the packing; a datanet's is 0.
    readyBit * (1 - readyBit) === 0;
    approvedBit * (1 - approvedBit) === 0;
    var cap = 0;
    var count = 0;
    for (var i = 0; i < 16; i++) {
        capBits[i] * (1 - capBits[i]) === 0;
        countBits[i] * (1 - countBits[i]) === 0;
        cap += (1 << i) * capBits[i];
        count += (1 << i) * countBits[i];
    }
    var epoch = 0;
    for (var i = 0; i < 24; i++) {
        epochBits[i] * (1 - epochBits[i]) === 0;
        epoch += (1 << i) * epochBits[i];
    }
    var price = 0;
    for (var i = 0; i < 96; i++) {
        priceBits[i] * (1 - priceBits[i]) === 0;
        price += (1 << i) * priceBits[i];
    }
    signal ofModel <== isModel * newCounters;
    ofModel === readyBit + COUNTER_APPROVED() * approvedBit + COUNTER_CAP() * cap + COUNTER_PAYMENT_COUNT() * count + COUNTER_EPOCH() * epoch + COUNTER_PRICE() * price;
    component room = RangeCheck(16);
    room.in <== cap - count;
    component rows = RangeCheck(40);
    rows.in <== newCounters - ofModel;
    component openRange = RangeCheck(96);
    openRange.in <== newOpen;

    // C. Terms.
    signal byReference <== power[0] * ref;
    component rests[2];
    for (var i = 0; i < 2; i++) {
        rests[i] = LeafRest();
        for (var j = 0; j < 3; j++) { rests[i].in[j] <== state[2 * j + i]; }
        rests[i].in[3] <== state[6];
    }
    rest <== rests[0].out;
    newRest <== rests[1].out;
    signal byRest <== power[1] * rest;
    signal byNewRest <== power[2] * newRest;
    var all = idSum + (1 << 24) * (TAG_DATANET() + isModel) + byReference + byRest + byNewRest + SORT_MEMBER() * power[8];
    signal member <-- isUsed / (gamma - all);
    member * (gamma - all) === isUsed;
    signal byChain <== power[0] * chain;
    signal byOpen <== power[1] * open;
    var before = idSum + byChain + byOpen + SORT_CHAIN() * power[8];
    signal given <-- isUsed / (gamma - before);
    given * (gamma - before) === isUsed;
    signal byNewChain <== power[0] * newChain;
    signal byNewOpen <== power[1] * newOpen;
    signal byLast <== power[2] * last;
    var after = idSum + byNewChain + byNewOpen + byLast + SORT_CHAIN() * power[8];
    signal taken <-- isUsed / (gamma - after);
    taken * (gamma - after) === isUsed;
    signal change <== isUsed * (newCounters - counters);
    signal count6 <-- change / (gamma - idSum - SORT_COUNTERS() * power[8]);
    count6 * (gamma - idSum - SORT_COUNTERS() * power[8]) === change;
    signal shown <== isModel * (PRICE_OF_MODEL() + 4 * price + readyBit + 2 * approvedBit);
    signal byPrice <== power[1] * shown;
    var offered = idSum + byReference + byPrice + SORT_PRICE() * power[8];
    signal reference <-- asked / (gamma - offered);
    reference * (gamma - offered) === asked;
    sum <== given - taken - count6 - reference - member;
}
